//! `pubspec.lock`.

use crate::{
    lock::{Lock, Pin, Reader, file_name},
    outline::lines,
};

pub(super) fn reader(path: &str) -> Option<Reader> {
    (file_name(path) == "pubspec.lock").then_some(read)
}

fn read(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let text = lock.text();
    let (mut section, mut pin, mut seen) = ("", None::<Pin>, false);
    for line in lines(&text) {
        match (line.indent, section) {
            (0, _) => {
                section = line.key;
                seen |= section == "packages";
            }
            (2, "packages") => out.extend(pin.replace(Pin::new(line.key, ""))),
            (4, "packages") => match (&mut pin, line.key) {
                (Some(pin), "version") => line.value.clone_into(&mut pin.version),
                (Some(pin), "dependency") => pin.development = line.value == "direct dev",
                _ => {}
            },
            _ => {}
        }
    }
    out.extend(pin);
    if seen { Ok(()) } else { Err("there is no `packages`".to_owned()) }
}
