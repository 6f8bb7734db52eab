-- The role that Grafana reads the history with, before there is a table; `lis-online db grant-reader` gives it the views.
CREATE ROLE grafana LOGIN PASSWORD 'grafana';
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '60s';
