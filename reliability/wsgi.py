"""What gunicorn serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability.settings")
application = get_wsgi_application()

# What is loaded by now stays. Looking through it for garbage again and again, which a page’s many small objects would cause,
# took a sixth of the time of a page.
_ = get_resolver().url_patterns  # loads every page
gc.collect()
gc.freeze()
gc.set_threshold(10_000)
