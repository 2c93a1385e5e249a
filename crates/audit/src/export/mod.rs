//! Records in the formats of other systems.
