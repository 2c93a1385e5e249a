//! Folders that entries go to, and what is in their way.

use std::{
    fs, io,
    os::fd::{AsFd as _, AsRawFd as _},
};

use boltseal_sys::Place;
use rustix::{
    fs::{AtFlags, FileType, Mode, XattrFlags},
    io::Errno,
};

use super::write::Writer;

/// The attribute of a folder that hides what the layers below have in it (kernel documentation, "overlayfs").
pub const HIDES: &str = "trusted.overlay.opaque";

impl Writer<'_> {
    /// The folder that `dir` leads to, made where it is missing; `None` where links lead in circles.
    pub(super) fn place(&mut self, dir: &str) -> io::Result<Option<Place>> {
        if let Some((written, place)) = &self.parent
            && written == dir
        {
            return Ok(Some(place.clone()));
        }
        let place = match self.beneath.folder(dir) {
            Ok(place) => place,
            Err(Errno::LOOP) => match self.beneath.followed(dir, self.limits.path, self.limits.steps)? {
                Some(path) => self.made(&path)?,
                None => return Ok(None),
            },
            Err(_) => self.made(dir)?,
        };
        self.parent = Some((dir.to_owned(), place.clone()));
        Ok(Some(place))
    }

    /// The folder at `path`, which has no links in it, made where it is missing. A file in the way is removed, as by
    /// containers' unpacking.
    fn made(&mut self, path: &str) -> io::Result<Place> {
        match self.beneath.folder(path) {
            Ok(place) => return Ok(place),
            Err(Errno::NOENT | Errno::NOTDIR) if !path.is_empty() => {}
            Err(error) => return Err(error.into()),
        }
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self.made(dir)?;
        let hides = self.clear(&parent, name)?;
        let place = self.make_folder(&parent, name, hides)?;
        self.implied.insert(place.path.clone());
        Ok(place)
    }

    /// A new folder. One that takes the place of something else hides what is below it, as that did.
    pub(super) fn make_folder(&mut self, parent: &Place, name: &str, hides: bool) -> io::Result<Place> {
        rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755))?;
        let place = self.beneath.folder(&parent.join(name))?;
        rustix::fs::fchmod(&place, Mode::from_raw_mode(0o755))?;
        if hides {
            rustix::fs::fsetxattr(&place, HIDES, b"y", XattrFlags::empty())?;
        }
        Ok(place)
    }

    /// Removes what is at `name`, and says whether it was something else than a folder.
    pub(super) fn clear(&mut self, place: &Place, name: &str) -> io::Result<bool> {
        let stat = match rustix::fs::statat(place, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        // What was removed may have been on the way to it.
        self.parent = None;
        let path = place.join(name);
        self.executables.remove(&path);
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            rustix::fs::unlinkat(place, name, AtFlags::empty())?;
            return Ok(true);
        }

        // All strings that begin with `path/` lie between that and `path0`: `0` is the byte after the slash.
        let inside = format!("{path}/")..format!("{path}0");
        self.executables.extract_if(inside.clone(), |_, _| true).for_each(drop);
        self.folders.extract_if(inside.clone(), |_, _| true).for_each(drop);
        self.implied.extract_if(inside, |_| true).for_each(drop);
        self.folders.remove(&path);
        self.implied.remove(&path);
        // Removes folder by folder through descriptors, and follows no link.
        fs::remove_dir_all(format!("/proc/self/fd/{}/{name}", place.as_fd().as_raw_fd()))?;
        Ok(false)
    }
}
