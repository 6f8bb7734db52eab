"""`make pictures`: the pages and dashboards of a demo run, as the documentation shows them."""
