"""The application's function, and what its process keeps: a handler beside the built package, in the same process.

The event {"probe": true} is answered with the number of objects that are alive, once all garbage is gone, and with whether
garbage is looked for at all. Any other event is the application's.
"""

import gc
from typing import Any

from imported_key_material import app


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    if event.get("probe"):
        looking = gc.isenabled()
        gc.collect()
        return {"objects": len(gc.get_objects()), "collecting": looking}
    app.handler(event, context)
    return None
