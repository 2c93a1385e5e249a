//! The real binary, used as people use it: arguments in; text, files and exit codes out.

mod binary;
mod commands;
mod fixtures;
mod readme;
mod reference;
mod refusals;
mod scans;
mod service;
mod up;
