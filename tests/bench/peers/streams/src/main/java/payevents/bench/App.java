package payevents.bench;

import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.Stores;

/** The router as a Kafka Streams application: {@code SERVERS INBOX EVENTS STATE_DIRECTORY}. */
public final class App {
  private App() {}

  public static void main(String[] args) {
    String servers = args[0];
    String inbox = args[1];
    String events = args[2];
    String stateDirectory = args[3];
    KafkaStreams streams =
        new KafkaStreams(topology(inbox, events), settings(servers, inbox, stateDirectory));
    streams.setStateListener(
        (now, before) -> {
          if (now == KafkaStreams.State.RUNNING && before == KafkaStreams.State.REBALANCING) {
            System.out.println("{\"ready\": true}");
          }
        });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }

  private static Topology topology(String inbox, String events) {
    var ledger =
        Stores.keyValueStoreBuilder(
            Stores.inMemoryKeyValueStore(Router.LEDGER), Serdes.String(), Serdes.String());
    var bytes = Serdes.ByteArray();
    return new Topology()
        .addSource("inbox", Serdes.String().deserializer(), bytes.deserializer(), inbox)
        .addProcessor("router", () -> new Router(inbox), "inbox")
        .addStateStore(ledger, "router")
        .addSink("events", events, Serdes.String().serializer(), bytes.serializer(), "router");
  }

  private static Properties settings(String servers, String inbox, String stateDirectory) {
    Properties settings = new Properties();
    settings.putAll(
        Map.of(
            StreamsConfig.APPLICATION_ID_CONFIG, inbox + "-streams",
            StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, servers,
            StreamsConfig.STATE_DIR_CONFIG, stateDirectory,
            StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2,
            StreamsConfig.REPLICATION_FACTOR_CONFIG, 1,
            // One core, so one thread.
            StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1,
            // The default under exactly_once_v2; a longer one delays every event by as much.
            StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100));
    // Kafka's documentation of producers: larger batches for throughput. The default holds ten
    // events.
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 * 1024);
    settings.put(
        StreamsConfig.mainConsumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 45_000);
    return settings;
  }
}
