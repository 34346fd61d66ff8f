package payevents.bench;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/** The event as payevents publishes it: a CloudEvents 1.0 envelope around payment data. */
@JsonInclude(JsonInclude.Include.ALWAYS)
record Event(
    String specversion,
    String id,
    String source,
    String type,
    String subject,
    String time,
    String datacontenttype,
    String dataschema,
    String partitionkey,
    Data data) {

  record Data(
      String provider,
      String account,
      Resource resource,
      String action,
      String status,
      @JsonProperty("previous_status") String previousStatus,
      int sequence,
      Amount amount,
      Map<String, String> related,
      @JsonProperty("occurred_at") String occurredAt,
      @JsonProperty("observed_at") String observedAt,
      String origin,
      boolean inferred,
      boolean late,
      boolean test,
      Evidence evidence,
      @JsonProperty("provider_data") ObjectNode providerData) {}

  record Resource(String kind, String id, String url) {}

  record Amount(String value, @JsonProperty("minor_units") long minorUnits, String currency) {}

  record Evidence(String topic, int partition, long offset, String sha256) {}
}
