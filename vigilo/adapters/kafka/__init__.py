"""Kafka for everything that is not a Faust service: producer, consumers, topics, dead-letters, security.

All of it speaks logical topic names; the prefix (`VIGILO_KAFKA_TOPIC_PREFIX`) is added and removed at this edge.
"""
