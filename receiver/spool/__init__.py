"""The spool: observations on local disk, for as long as Kafka does not take them."""
