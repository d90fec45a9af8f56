"""The options of `run` and `create` → ContainerSpec: build.build_spec(options).

It knows which option sets which field; podpy.spec.text reads the options' texts. An option that isn't given leaves its
field AS_CONFIGURED, or empty where the image decides.
"""
