//! How much we are willing to read from an image. Each number has its reason.

/// Bytes of a manifest or index: what registries accept (OCI distribution specification: at least 4 MiB).
pub const MAX_MANIFEST: u64 = 4 << 20;
/// Bytes of an image configuration. Real ones are some kilobytes; labels can carry whole SBOMs.
pub const MAX_CONFIG: u64 = 8 << 20;
/// Indexes inside indexes. Real ones have two levels (multi-platform, and a layout's own `index.json`).
pub const MAX_NESTING: usize = 4;
/// Entries of an index. Real ones have some dozens.
pub const MAX_INDEX: usize = 10_000;

/// Limits on the content of an image; the defaults are meant for anything people really build.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Layers of an image. Docker stacks at most 127; some builders write more, never thousands.
    pub layers: usize,
    /// Uncompressed bytes of all layers. The largest machine-learning images have some tens of gigabytes.
    pub bytes: u64,
    /// Uncompressed per stored bytes, looked at from [`Limits::ratio_from`] on. Real layers stay below 20.
    pub ratio: u64,
    /// Uncompressed bytes of a layer from which its ratio counts, so that a small layer of zeros is no bomb.
    pub ratio_from: u64,
    /// Entries of all layers. The largest images seen have three million files.
    pub entries: u64,
    /// Bytes of a path. Linux cannot create longer ones (`PATH_MAX`).
    pub path: usize,
    /// Names in a path. The deepest real trees, nested `node_modules`, have less than a hundred.
    pub depth: usize,
    /// Bytes of one pax or GNU long name header: what Go's reader, and so every container runtime, takes.
    pub header: u64,
    /// Pieces of one sparse file that is kept.
    pub sparse: usize,
    /// Bytes of one file kept whole. The largest package database seen has 30 MB.
    pub file: u64,
    /// Bytes of one executable that is looked into.
    pub executable: u64,
    /// Bytes of an executable held in memory; larger ones go through an unlinked temporary file.
    pub memory: u64,
    /// Bytes of all kept files together.
    pub kept: u64,
    /// Bytes of earlier versions of kept files.
    pub earlier: u64,
    /// Bytes of all kept names and link targets.
    pub names: u64,
    /// Names looked at to put entries in their place. An image of three million files needs a tenth of the default;
    /// one made to be slow, of a million directories emptied again and again, could ask for a thousand times more.
    pub steps: u64,
    /// Gaps listed one by one; the rest is one more gap.
    pub gaps: usize,
    /// Files in an archive that holds an image (not its layers): blobs and lists.
    pub members: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            layers: 512,
            bytes: 128 << 30,
            ratio: 250,
            ratio_from: 1 << 30,
            entries: 5_000_000,
            path: 4096,
            depth: 512,
            header: 1 << 20,
            sparse: 100_000,
            file: 64 << 20,
            executable: 1 << 30,
            memory: 16 << 20,
            kept: 256 << 20,
            earlier: 32 << 20,
            names: 64 << 20,
            steps: 500_000_000,
            gaps: 1000,
            members: 100_000,
        }
    }
}
