"""python -m podpy.pack"""

import os

from podpy.pack.build import build

print(build(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
