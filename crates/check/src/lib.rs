//! What is wrong with content apart from vulnerabilities.
//!
//! ```
//! use boltseal_check::secret::{Confidence, Finder};
//!
//! let finder = Finder::new();
//! let text = b"DEBUG=1\nPOSTGRES_PASSWORD=qjzw7Rkx2b\nPASSWORD_FILE=/run/secrets/db\n";
//! let mut hits = Vec::new();
//! finder.find("etc/app.env", text, &mut hits);
//! assert_eq!(hits.len(), 1);
//! assert_eq!((hits[0].rule.as_str(), hits[0].line), ("password", 2));
//! assert_eq!(&text[hits[0].span.clone()], b"qjzw7Rkx2b");
//! assert!(hits[0].confidence >= Confidence::Medium);
//! ```
//!
//! | family | what it looks at |
//! |---|---|
//! | [`image`] | how an image says it wants to run, its files, its build steps: what should be otherwise |
//! | [`malware`] | the hash of a file, or its text: what is known to be malicious |
//! | [`secret`] | bytes of a file, a variable or a label: credentials that should not be there |
//!
//! This crate must not know: images, layers, archives, the clock, I/O, how anything is stored. It is handed bytes and
//! answers with places in them; whoever stores a hit keeps a keyed hash and the place, never the bytes.

pub mod image;
pub mod malware;
pub mod secret;
