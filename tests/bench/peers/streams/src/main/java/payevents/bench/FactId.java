package payevents.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/** The deterministic id of a fact: a UUIDv5 (RFC 9562), which the JDK does not make. */
final class FactId {
  private static final UUID NAMESPACE = UUID.fromString("c0b1d7e6-3f52-5d0b-9a55-0d3a5b8f6e21");

  private final MessageDigest sha1;

  FactId() {
    try {
      sha1 = MessageDigest.getInstance("SHA-1");
    } catch (NoSuchAlgorithmException error) {
      throw new IllegalStateException(error);
    }
  }

  String of(String partitionKey, String action) {
    ByteBuffer namespace = ByteBuffer.allocate(16);
    namespace.putLong(NAMESPACE.getMostSignificantBits());
    namespace.putLong(NAMESPACE.getLeastSignificantBits());
    sha1.update(namespace.array());
    sha1.update((partitionKey + "/" + action).getBytes(StandardCharsets.UTF_8));
    ByteBuffer digest = ByteBuffer.wrap(sha1.digest());
    long most = digest.getLong() & 0xFFFFFFFFFFFF0FFFL | 0x5000L;
    long least = digest.getLong() & 0x3FFFFFFFFFFFFFFFL | 0x8000000000000000L;
    return new UUID(most, least).toString();
  }
}
