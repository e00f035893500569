//! The folder that holds the demo's configuration and tokens.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A folder that is there for the demo; removed at the end unless somebody named it.
pub struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    /// Makes the folder `named`, which must not exist yet, or one for temporary files.
    pub fn create(named: Option<PathBuf>) -> io::Result<Self> {
        let Some(path) = named else { return Self::temporary() };
        fs::create_dir(&path).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot make `{}`: {error}", path.display()))
        })?;
        Ok(Self { path, keep: true })
    }

    /// Where another demo left its folder, as one that was killed does, the next name is taken.
    fn temporary() -> io::Result<Self> {
        let (all, process) = (std::env::temp_dir(), std::process::id());
        let mut number = 0;
        loop {
            let path = all.join(format!("grantgate-demo-{process}-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path, keep: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            // What cannot be removed stays among the temporary files.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
