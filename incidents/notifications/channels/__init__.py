"""How others are told: one pure module for each receiver. None knows a table, and none sends."""
