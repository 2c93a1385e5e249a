//! Sources of vulnerability data: formats, import, update.
