package payevents.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a webhook's body says of an invoice. */
record Invoice(ObjectNode fields) {
  /** A fact's action, and when it happened as RFC 3339; null where SmartPay does not say. */
  record Fact(String action, String occurredAt) {}

  String id() {
    return fields.path("invoice_id").asText();
  }

  /** The facts in their natural order. */
  List<Fact> facts() {
    List<Fact> facts = new ArrayList<>(4);
    facts.add(new Fact("created", null));
    addDated(facts, "failed", "date_failed");
    addDated(facts, "paid", "date_paid");
    if (!fields.path("is_enabled").asBoolean(true)) {
      facts.add(new Fact("cancelled", null));
    }
    return facts;
  }

  Event.Amount amount() {
    JsonNode text = fields.hasNonNull("amount_discounted")
        ? fields.get("amount_discounted")
        : fields.get("amount");
    if (text == null || text.isNull()) {
      return null;
    }
    BigDecimal value = new BigDecimal(text.asText()).setScale(2);
    return new Event.Amount(value.toPlainString(), value.unscaledValue().longValueExact(), "CAD");
  }

  Map<String, String> related() {
    Map<String, String> related = new LinkedHashMap<>();
    addRelated(related, "order", "order_id");
    addRelated(related, "consumer", "consumer_id");
    return related;
  }

  private void addDated(List<Fact> facts, String action, String field) {
    JsonNode date = fields.get(field);
    if (date != null && !date.isNull()) {
      facts.add(new Fact(action, date.asText().replace(' ', 'T') + "Z"));
    }
  }

  private void addRelated(Map<String, String> related, String name, String field) {
    JsonNode id = fields.get(field);
    if (id != null && !id.isNull()) {
      related.put(name, id.asText());
    }
  }
}
