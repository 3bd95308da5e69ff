def run(out, *, scale): pass
