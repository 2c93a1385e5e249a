//! What a launch has to know of an image: what exactly it is, what it runs, which number its user has; and its layers.
//!
//! ```text
//! resolve: what a name means now ──▶ (a verdict about that) ──▶ fetch: that, and nothing else, as folders
//! ```

use std::{fs, io::Read as _, path::Path};

use boltseal_image::{Layers, Options, Unpacked};
use boltseal_model::{Config, Digest, FileMeta, Layer, Reference, Selector, Tree, Want};
use boltseal_runtime::Image;

use crate::{Error, Wanted};

/// Wants nothing.
struct Nothing;

impl Selector for Nothing {
    fn want(&self, _: &str, _: &FileMeta) -> Want {
        Want::Skip
    }

    fn distill(&self, _: &str, _: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }
}

/// What `target` means now: the digest of its manifest. None of what has no manifest, which is read whole to find out.
///
/// # Errors
/// Where it cannot be read.
pub fn resolve(target: &str, options: &Options<'_>) -> Result<Option<Digest>, Error> {
    let mut options = options.clone();
    let unread = |_: &Digest| true;
    options.known = Some(&unread);
    Ok(boltseal_image::open(target, &Nothing, &options)?.subject.digest)
}

/// The layers of what `target` means now, and its digest, without reading them.
///
/// # Errors
/// Where its manifest cannot be read.
pub fn layers(target: &str, options: &Options<'_>) -> Result<(Option<Digest>, Vec<Layer>), Error> {
    let mut options = options.clone();
    let unread = |_: &Digest| true;
    options.known = Some(&unread);
    let image = boltseal_image::open(target, &Nothing, &options)?;
    Ok((image.subject.digest, image.tree.layers))
}

/// The same image by its digest, so that nothing else can be pulled by its name meanwhile. None where it is not in a registry.
pub fn pinned(target: &str, digest: &Digest) -> Option<String> {
    let reference: Reference = target.strip_prefix("docker://")?.parse().ok()?;
    Some(format!("docker://{}@{digest}", reference.name()))
}

/// Pulls what is missing of an image, as folders, and looks at it.
///
/// # Errors
/// Where it cannot be read, or is not what it says it is.
pub fn fetch(
    name: &str,
    target: &str,
    options: &Options<'_>,
    layers: &Layers,
) -> Result<(Image, Vec<Unpacked>), Error> {
    let (image, unpacked) = layers.unpack(target, options)?;
    let user = plain(&image.config).or_else(|| {
        let (users, groups) = (account(&unpacked, PASSWD), account(&unpacked, GROUP));
        among(&image.config.user, &users, &groups)
    });
    let image = Image { name: name.to_owned(), digest: image.subject.digest, config: image.config, user };
    Ok((image, unpacked))
}

/// A list of accounts of an image, by the topmost layer that has one. Layers are never written to after they were made.
fn account(layers: &[Unpacked], path: &str) -> String {
    let (folder, _) = path.split_once('/').unwrap_or_default();
    for layer in layers.iter().rev() {
        let kind = |path: &Path| fs::symlink_metadata(path).map(|found| found.file_type());
        // Links lead elsewhere on this machine than within the image.
        if !kind(&layer.path.join(folder)).is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let place = layer.path.join(path);
        match kind(&place) {
            Ok(kind) if kind.is_file() => {
                let mut text = Vec::new();
                let file =
                    fs::File::open(&place).map(|file| file.take(MAX_ACCOUNTS as u64).read_to_end(&mut text));
                return file.map(|_| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
            }
            // Something that is no list, or hides one.
            Ok(_) => return String::new(),
            Err(_) => {}
        }
    }
    String::new()
}

/// Wants what tells users' names.
struct Accounts;

const PASSWD: &str = "etc/passwd";
const GROUP: &str = "etc/group";
/// Bytes of either that are looked at; a machine with ten thousand people has one.
const MAX_ACCOUNTS: usize = 1 << 20;

impl Selector for Accounts {
    fn want(&self, path: &str, _: &FileMeta) -> Want {
        if path == PASSWD || path == GROUP { Want::Whole } else { Want::Skip }
    }

    fn distill(&self, _: &str, _: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }
}

/// Looks at the image that `name` means. Its layers are read only where its user is a name, or has no group.
pub fn look(wanted: &Wanted<'_>, name: &str) -> Result<Image, Error> {
    let mut options = wanted.options.clone();
    let unread = |_: &boltseal_model::Digest| true;
    options.known = Some(&unread);
    let mut image = boltseal_image::open(wanted.target, &Accounts, &options)?;
    let mut user = plain(&image.config);
    if user.is_none() {
        if !image.read {
            options.known = None;
            image = boltseal_image::open(wanted.target, &Accounts, &options)?;
        }
        user = told(&image.config.user, &image.tree);
    }
    Ok(Image { name: name.to_owned(), digest: image.subject.digest, config: image.config, user })
}

/// The user of an image that says it in numbers, or says nothing, which is root.
fn plain(config: &Config) -> Option<(u32, u32)> {
    if config.user.is_empty() {
        return Some((0, 0));
    }
    let (user, group) = config.user.split_once(':')?;
    Some((user.parse().ok()?, group.parse().ok()?))
}

/// By the image's own lists of users and groups (passwd(5), group(5)).
fn told(said: &str, tree: &Tree) -> Option<(u32, u32)> {
    let lines = |path| {
        let content = tree.content(path).unwrap_or_default();
        String::from_utf8_lossy(content.get(..MAX_ACCOUNTS).unwrap_or(content)).into_owned()
    };
    among(said, &lines(PASSWD), &lines(GROUP))
}

fn among(said: &str, users: &str, groups: &str) -> Option<(u32, u32)> {
    let (user, group) = match said.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (said, None),
    };
    let by = |list: &str, wanted: &str| -> Option<Vec<String>> {
        let fields = list.lines().map(|line| line.split(':').map(str::to_owned).collect::<Vec<_>>());
        let mut rows = fields.filter(|row| row.len() > 3 || (row.len() > 2 && list == groups));
        rows.find(|row| {
            row.first().is_some_and(|name| name == wanted) || row.get(2).is_some_and(|id| id == wanted)
        })
    };
    let number = |row: &Option<Vec<String>>, field: usize| row.as_ref()?.get(field)?.parse::<u32>().ok();
    let row = by(users, user);
    let id = user.parse().ok().or_else(|| number(&row, 2))?;
    let group = match group {
        Some(group) => group.parse().ok().or_else(|| number(&by(groups, group), 2))?,
        // Of a number that nobody has, the group is root's, as every runtime has it.
        None => number(&row, 3).unwrap_or(0),
    };
    Some((id, group))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use boltseal_model::File;

    use super::*;

    #[test]
    fn users_by_name_and_number() {
        let mut tree = Tree::default();
        for (path, text) in [
            (
                PASSWD,
                "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/:/bin/false\nodd:x:many:1::/:/\n7:x:8:9::/:/\n",
            ),
            (GROUP, "root:x:0:\nstaff:x:50:app\n"),
        ] {
            let content = Arc::from(text.as_bytes());
            let file = File { layer: 0, meta: FileMeta::default(), content, earlier: Vec::new() };
            tree.files.insert(path.into(), file);
        }
        for (said, wanted) in [
            ("app", Some((1000, 1001))),
            ("1000", Some((1000, 1001))),
            ("4000", Some((4000, 0))),
            ("app:staff", Some((1000, 50))),
            ("app:7", Some((1000, 7))),
            ("app:nobody", None),
            ("nobody", None),
            ("odd", None),
            ("-1", None),
            ("7", Some((7, 9))),
        ] {
            assert_eq!(told(said, &tree), wanted, "{said}");
        }
        assert_eq!(told("app", &Tree::default()), None);
    }
}
