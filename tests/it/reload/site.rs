//! A place where a configuration is kept, in the ways that people and platforms keep one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::disk::{self, rename_over, replace_link};

/// How the configuration is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A file, named by its path.
    File,
    /// A directory, named by its path.
    Directory,
    /// A Kubernetes volume: the file is a link through `..data`, which is a link to a generation.
    Volume,
    /// The file is a link into `current`, which is a link to a version.
    Chain,
    /// The file has a second name elsewhere, where it is written: what a single file mounted into a
    /// container looks like from within.
    Mounted,
}

/// The name of the file.
pub const NAME: &str = "gateway.yaml";

pub struct Site {
    _folder: TempDir,
    root: PathBuf,
    layout: Layout,
    generation: AtomicUsize,
}

impl Site {
    pub fn new(layout: Layout, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let site = Self { _folder: folder, root, layout, generation: AtomicUsize::new(0) };
        match layout {
            Layout::File | Layout::Directory => {
                fs::create_dir(site.at("conf")).unwrap();
                fs::write(site.file(), text).unwrap();
            }
            Layout::Volume => {
                fs::create_dir(site.at("conf")).unwrap();
                site.turn_data(&[(NAME, text)]);
            }
            Layout::Chain => {
                fs::create_dir(site.at("conf")).unwrap();
                site.turn_current(text);
                symlink("../current/gateway.yaml", site.file()).unwrap();
            }
            Layout::Mounted => {
                fs::create_dir(site.at("conf")).unwrap();
                fs::create_dir(site.at("host")).unwrap();
                fs::write(site.at("host/gateway.yaml"), text).unwrap();
                fs::hard_link(site.at("host/gateway.yaml"), site.file()).unwrap();
            }
        }
        site
    }

    /// What the gateway is told to read.
    pub fn config(&self) -> PathBuf {
        match self.layout {
            Layout::Directory => self.at("conf"),
            _ => self.file(),
        }
    }

    /// The file, where it is read.
    pub fn file(&self) -> PathBuf {
        self.at("conf").join(NAME)
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A name beside the file.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.at("conf").join(name)
    }

    /// A number that was not given before.
    pub fn next(&self) -> usize {
        self.generation.fetch_add(1, Ordering::Relaxed)
    }

    pub fn turn_data(&self, files: &[(&str, &str)]) {
        disk::turn_data(&self.at("conf"), self.next(), files);
    }

    /// Turns `current` to a new version; the old one stays.
    pub fn turn_current(&self, text: &str) {
        let version = format!("v{}", self.next());
        fs::create_dir(self.at(&version)).unwrap();
        fs::write(self.at(&version).join(NAME), text).unwrap();
        replace_link(Path::new(&version), &self.at("current"));
    }

    /// Makes it right again, whatever stands there, by one rename.
    pub fn restore(&self, text: &str) {
        let file = self.file();
        match self.layout {
            Layout::Volume => self.turn_data(&[(NAME, text)]),
            Layout::Chain => {
                self.turn_current(text);
                replace_link(Path::new("../current/gateway.yaml"), &file);
            }
            Layout::File | Layout::Directory | Layout::Mounted => {
                if file.symlink_metadata().is_ok_and(|data| data.is_dir()) {
                    fs::remove_dir(&file).unwrap();
                }
                rename_over(&file, text);
            }
        }
    }
}
