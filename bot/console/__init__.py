"""The staff's web console: pages that say what is true now and what one can do, with or without JavaScript."""
