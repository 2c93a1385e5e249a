//! Image bytes to a tree of files: layouts, archives, registries.
