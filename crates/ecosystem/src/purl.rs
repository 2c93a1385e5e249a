//! Package URLs (purl-spec).
