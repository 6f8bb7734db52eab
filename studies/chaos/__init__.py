"""Faults on real workers, Apache Kafka and PostgreSQL: is the history that of a run without any?"""
