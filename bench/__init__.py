"""How fast it is, measured over real HTTP on the whole product: `make bench`. Figures are compared as ratios of one run."""
