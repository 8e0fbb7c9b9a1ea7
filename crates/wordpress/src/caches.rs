//! Caches of a site.
