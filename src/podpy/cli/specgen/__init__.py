"""The options of `run` and `create` → ContainerSpec: build.build_spec(options).

It knows which option means which field; what a text means is podpy.spec.text's business. What isn't given stays
AS_CONFIGURED, or the image's to say.
"""
