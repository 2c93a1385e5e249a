//! Blobs in object stores: one contract for the store of this process, for real servers of S3, Azure Blob Storage and
//! Google Cloud Storage, and for files.

mod contract;
mod killed;
mod servers;
mod world;
