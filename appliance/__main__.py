"""``python -m appliance``: the same as the command ``tickplane``."""

import sys

from appliance.cli import main

sys.exit(main())
