"""What stands above all slices: navigation, the palette, where “/” leads, and what one slice’s page shows of another."""
