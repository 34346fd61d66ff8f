package payevents.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Publishes the facts of each observation that its invoice's ledger entry does not hold yet. */
final class Router extends ContextualProcessor<String, byte[], String, byte[]> {
  static final String LEDGER = "ledger";

  private static final Set<String> DOCUMENTED =
      Set.of(
          "invoice_id",
          "order_id",
          "order_custom_id",
          "consumer_id",
          "name",
          "amount",
          "amount_discounted",
          "payment_method",
          "is_dummy",
          "is_enabled",
          "date_paid",
          "date_failed");

  private final ObjectMapper json = new ObjectMapper();
  private final ObjectReader reader = json.readerFor(ObjectNode.class);
  private final ObjectWriter writer = json.writerFor(Event.class);
  private final FactId factId = new FactId();
  private final String inbox;
  private KeyValueStore<String, String> ledger;

  Router(String inbox) {
    this.inbox = inbox;
  }

  @Override
  public void init(ProcessorContext<String, byte[]> context) {
    super.init(context);
    ledger = context.getStateStore(LEDGER);
  }

  @Override
  public void process(Record<String, byte[]> observation) {
    try {
      publishNew(observation);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private void publishNew(Record<String, byte[]> observation) throws IOException {
    String account = header(observation.headers(), "payevents-account");
    Invoice invoice = new Invoice(reader.readValue(observation.value()));
    String key = "smartpay/" + account + "/invoice/" + invoice.id();
    // The actions published so far, in their order, with commas between.
    String entry = ledger.get(key);
    List<String> known = entry == null ? List.of() : List.of(entry.split(","));
    List<Invoice.Fact> facts = invoice.facts();
    List<Invoice.Fact> fresh =
        facts.stream().filter(fact -> !known.contains(fact.action())).toList();
    if (fresh.isEmpty()) {
      return;
    }
    Event.Evidence evidence = evidence(observation);
    invoice.fields().retain(DOCUMENTED);
    int sequence = known.size();
    String status = known.isEmpty() ? null : known.get(known.size() - 1);
    for (Invoice.Fact fact : fresh) {
      boolean inferred = fact.action().equals("created") && facts.size() > 1;
      String observedAt = header(observation.headers(), "payevents-received-at");
      String time = fact.occurredAt();
      if (time == null) {
        time = inferred && facts.get(1).occurredAt() != null
            ? facts.get(1).occurredAt()
            : observedAt;
      }
      Event event =
          new Event(
              "1.0",
              factId.of(key, fact.action()),
              "/smartpay/" + account,
              "payments.invoice." + fact.action(),
              "invoice/" + invoice.id(),
              time,
              "application/json",
              "urn:payevents:payment-event:1",
              key,
              new Event.Data(
                  "smartpay",
                  account,
                  new Event.Resource("invoice", invoice.id(), null),
                  fact.action(),
                  fact.action(),
                  status,
                  ++sequence,
                  invoice.amount(),
                  invoice.related(),
                  fact.occurredAt(),
                  observedAt,
                  header(observation.headers(), "payevents-origin"),
                  inferred,
                  false,
                  false,
                  evidence,
                  invoice.fields()));
      context()
          .forward(
              new Record<>(
                  key,
                  writer.writeValueAsBytes(event),
                  observation.timestamp(),
                  headers(event)));
      status = fact.action();
      entry = entry == null ? fact.action() : entry + "," + fact.action();
    }
    ledger.put(key, entry);
  }

  private Event.Evidence evidence(Record<String, byte[]> observation) {
    var at = context().recordMetadata().orElseThrow();
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(observation.value());
      return new Event.Evidence(inbox, at.partition(), at.offset(), HexFormat.of().formatHex(digest));
    } catch (NoSuchAlgorithmException error) {
      throw new IllegalStateException(error);
    }
  }

  private static Headers headers(Event event) {
    return new RecordHeaders()
        .add("content-type", bytes("application/cloudevents+json"))
        .add("ce_specversion", bytes(event.specversion()))
        .add("ce_id", bytes(event.id()))
        .add("ce_type", bytes(event.type()))
        .add("ce_source", bytes(event.source()))
        .add("ce_subject", bytes(event.subject()))
        .add("ce_time", bytes(event.time()));
  }

  private static String header(Headers headers, String name) {
    Header header = headers.lastHeader(name);
    return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
