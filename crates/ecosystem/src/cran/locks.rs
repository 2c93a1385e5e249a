//! `renv.lock`.

use crate::lock::{Lock, Pin, Reader, file_name, members, text};

pub(super) fn reader(path: &str) -> Option<Reader> {
    (file_name(path) == "renv.lock").then_some(read)
}

/// Only what came from CRAN: other repositories have other packages of the same names.
fn read(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let file = lock.json()?;
    let from_cran = members(&file, "Packages").filter(|(_, package)| text(package, "Repository") == "CRAN");
    out.extend(from_cran.map(|(_, package)| Pin::new(text(package, "Package"), text(package, "Version"))));
    Ok(())
}
