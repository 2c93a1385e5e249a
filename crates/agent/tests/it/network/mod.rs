//! Groups on a network that is closed: what passes, and what does not. Everything happens in network namespaces that the test
//! made, as root.

mod flows;
mod machine;
mod names;
mod recovery;
mod rules;
mod setup;
