//! How much of everything is accepted, and why that much.

/// One OSV record, Alpine file or KEV list. The largest real one (a GHSA with every Linux version) is below 4 MB.
pub const MAX_RECORD_BYTES: u64 = 32 << 20;

/// One element of an XML feed that is read as a whole: an OVAL definition, an update, a CVRF document. A CVRF document of
/// a SUSE kernel has 9 MB.
pub const MAX_ELEMENT_BYTES: u64 = 32 << 20;

/// Elements in elements. Criteria of OVAL, the deepest, stay below 20.
pub const MAX_XML_DEPTH: usize = 64;

/// Tests, objects and states of one OVAL file, each, which take 40 bytes of memory. SLES 15, the largest, has 300,000.
pub const MAX_OVAL_ITEMS: usize = 4_000_000;

/// Text kept of a definition of an OVAL file, all of which are held until its end.
pub const MAX_OVAL_DETAILS_BYTES: usize = 2 << 10;

/// One line of a text format; KEV notes reach 10 KB.
pub const MAX_LINE_BYTES: u64 = 1 << 20;

/// One document after decompression. Debian's tracker, the largest that streams, has about 80 MB.
pub const MAX_DOCUMENT_BYTES: u64 = 2 << 30;

/// Everything in one archive after decompression. The npm export, with malware records, is below 2 GB; Red Hat's archive of
/// CSAF files is above 20.
pub const MAX_ARCHIVE_BYTES: u64 = 64 << 30;

/// Entries of one archive; the npm export has about 250,000. Reading the directory of a zip takes some 300 bytes of
/// memory for each.
pub const MAX_ARCHIVE_ENTRIES: u64 = 600_000;

/// Window of a zstd stream, as a power of two: 128 MiB, what `zstd --long` needs and `zstd -d` accepts by default.
pub const MAX_WINDOW_LOG: u32 = 27;

/// A name inside an archive. They are only shown and grouped by, never used as paths.
pub const MAX_NAME_BYTES: usize = 1024;

/// Decompressed to compressed size, judged beyond [`RATIO_FREE_BYTES`]. JSON of feeds stays below 40, OVAL below 60; an archive
/// of Red Hat's CSAF files, which repeat each other, comes near 200.
pub const MAX_RATIO: u64 = 400;

/// Below this a high ratio does no harm.
pub const RATIO_FREE_BYTES: u64 = 64 << 20;

/// One download; the largest export (Ubuntu) is near 1 GB.
pub const MAX_DOWNLOAD_BYTES: u64 = 8 << 30;

/// Folders in folders.
pub const MAX_DEPTH: usize = 16;

/// Files of one import.
pub const MAX_FILES: usize = 2_000_000;

/// Text of one advisory that is kept; the rest is behind its references.
pub const MAX_DETAILS_BYTES: usize = 8 << 10;

/// One line about an advisory.
pub const MAX_SUMMARY_BYTES: usize = 300;

/// References of one advisory that are kept.
pub const MAX_REFERENCES: usize = 40;

/// Rejected records that are quoted; all are counted.
pub const MAX_QUOTED: usize = 100;
