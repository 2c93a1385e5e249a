//! Calls to Linux as safe handles: the only unsafe code.
