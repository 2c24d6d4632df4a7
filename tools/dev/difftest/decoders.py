def build(opset, seed, prefix):
    raise NotImplementedError
