//! The ways in which files are written: by editors, tools and platforms, by mistake, and by nobody who
//! means well.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use crate::disk::{rename_over, replace_link};

use super::site::Layout::{Chain, Directory, Mounted, Volume};
use super::site::{Layout, Site};

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// What was written is live.
    New,
    /// What ran before is what is there.
    Same,
    /// What is there is refused, and what ran before stays.
    Kept,
}
use Ends::{Kept, New, Same};

/// One way to write, given the new text.
pub struct Writer {
    pub name: &'static str,
    pub layout: Layout,
    pub write: fn(&Site, &str),
    pub ends: Ends,
}

const fn writer(name: &'static str, layout: Layout, ends: Ends, write: fn(&Site, &str)) -> Writer {
    Writer { name, layout, write, ends }
}

/// All of them.
pub const WRITERS: &[Writer] = &[
    // Those who mean it.
    writer("rename over", Layout::File, New, |site, text| rename_over(&site.file(), text)),
    writer("rename over, synchronised", Layout::File, New, synchronised),
    writer("rename over, in a directory", Directory, New, |site, text| {
        rename_over(&site.file(), text);
    }),
    writer("moved from elsewhere", Layout::File, New, |site, text| {
        fs::write(site.at("elsewhere"), text).unwrap();
        fs::rename(site.at("elsewhere"), site.file()).unwrap();
    }),
    writer("truncate and write", Layout::File, New, |site, text| {
        fs::write(site.file(), text).unwrap();
    }),
    writer("truncate and write, in a directory", Directory, New, |site, text| {
        fs::write(site.file(), text).unwrap();
    }),
    writer("truncate and write slowly", Layout::File, New, |site, text| {
        piecewise(&mut File::create(site.file()).unwrap(), text);
    }),
    writer("slowly beside, then rename", Layout::File, New, |site, text| {
        piecewise(&mut File::create(site.beside("gateway.tmp")).unwrap(), text);
        fs::rename(site.beside("gateway.tmp"), site.file()).unwrap();
    }),
    writer("over the old text, then cut", Layout::File, New, |site, text| {
        let mut file = OpenOptions::new().write(true).open(site.file()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.set_len(text.len() as u64).unwrap();
    }),
    writer("emptied, then appended to", Layout::File, New, |site, text| {
        File::create(site.file()).unwrap();
        let mut file = OpenOptions::new().append(true).open(site.file()).unwrap();
        piecewise(&mut file, text);
    }),
    writer("vim", Layout::File, New, vim),
    writer("vim with a copy as backup", Layout::File, New, |site, text| {
        fs::copy(site.file(), site.beside("gateway.yaml~")).unwrap();
        fs::write(site.file(), text).unwrap();
        fs::remove_file(site.beside("gateway.yaml~")).unwrap();
    }),
    writer("vim, in a directory", Directory, New, vim),
    writer("emacs", Layout::File, New, emacs),
    writer("delete and create", Layout::File, New, |site, text| {
        fs::remove_file(site.file()).unwrap();
        fs::write(site.file(), text).unwrap();
    }),
    writer("delete and create late", Layout::File, New, |site, text| {
        fs::remove_file(site.file()).unwrap();
        thread::sleep(PAUSE);
        fs::write(site.file(), text).unwrap();
    }),
    writer("the whole directory anew", Directory, New, |site, text| {
        fs::remove_dir_all(site.at("conf")).unwrap();
        fs::create_dir(site.at("conf")).unwrap();
        fs::write(site.file(), text).unwrap();
    }),
    writer("another directory in its place", Directory, New, |site, text| {
        let aside = site.at(&format!("aside{}", site.next()));
        fs::create_dir(site.at("coming")).unwrap();
        fs::write(site.at("coming/gateway.yaml"), text).unwrap();
        fs::rename(site.at("conf"), aside).unwrap();
        fs::rename(site.at("coming"), site.at("conf")).unwrap();
    }),
    writer("kubelet", Volume, New, |site, text| site.turn_data(&[("gateway.yaml", text)])),
    writer("a link turned in the middle of a chain", Chain, New, |site, text| {
        site.turn_current(text);
    }),
    writer("the end of a chain rewritten", Chain, New, |site, text| {
        fs::write(site.at("current/gateway.yaml"), text).unwrap();
    }),
    writer("the end of a chain replaced", Chain, New, |site, text| {
        rename_over(&site.at("current").canonicalize().unwrap().join("gateway.yaml"), text);
    }),
    writer("a link in the file's place", Layout::File, New, |site, text| {
        let target = site.at(&format!("target{}", site.next()));
        fs::write(&target, text).unwrap();
        replace_link(&target, &site.file());
    }),
    writer("a file in the link's place", Chain, New, |site, text| rename_over(&site.file(), text)),
    writer("a longer chain", Chain, New, |site, text| {
        let (target, link) = (format!("target{}", site.next()), format!("link{}", site.next()));
        fs::write(site.at(&target), text).unwrap();
        symlink(&target, site.at(&link)).unwrap();
        replace_link(&Path::new("..").join(link), &site.file());
    }),
    writer("written under its other name", Mounted, New, |site, text| {
        fs::write(site.at("host/gateway.yaml"), text).unwrap();
    }),
    writer("dated to 1970", Layout::File, New, |site, text| {
        rename_over(&site.file(), text);
        File::open(site.file()).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }),
    writer("made readable for others", Layout::File, New, |site, text| {
        rename_over(&site.file(), text);
        fs::set_permissions(site.file(), Permissions::from_mode(0o644)).unwrap();
    }),
    writer("a storm of renames", Layout::File, New, |site, text| {
        storm(text, |text| rename_over(&site.file(), text));
    }),
    writer("a storm of truncations", Layout::File, New, |site, text| {
        storm(text, |text| fs::write(site.file(), text).unwrap());
    }),
    writer("a storm of links", Chain, New, |site, text| {
        storm(text, |text| site.turn_current(text));
    }),
    writer("CRLF", Layout::File, New, |site, text| {
        rename_over(&site.file(), text.replace('\n', "\r\n"));
    }),
    writer("BOM", Layout::File, New, |site, text| {
        rename_over(&site.file(), format!("\u{feff}{text}"));
    }),
    // Those who change nothing.
    writer("touch", Layout::File, Same, |site, _| {
        File::open(site.file()).unwrap().set_modified(SystemTime::now()).unwrap();
    }),
    writer("the same, renamed over", Layout::File, Same, |site, _| {
        rename_over(&site.file(), fs::read(site.file()).unwrap());
    }),
    writer("the same, written anew", Layout::File, Same, |site, _| {
        let text = fs::read(site.file()).unwrap();
        fs::write(site.file(), text).unwrap();
    }),
    writer("the same by kubelet", Volume, Same, |site, _| {
        let text = fs::read_to_string(site.file()).unwrap();
        site.turn_data(&[("gateway.yaml", &text)]);
    }),
    writer("another mode", Layout::File, Same, |site, _| {
        fs::set_permissions(site.file(), Permissions::from_mode(0o640)).unwrap();
    }),
    writer("a second name", Layout::File, Same, |site, _| {
        fs::hard_link(site.file(), site.beside(&format!("other{}", site.next()))).unwrap();
    }),
    writer("away and back", Layout::File, Same, |site, _| {
        fs::rename(site.file(), site.at("away")).unwrap();
        fs::rename(site.at("away"), site.file()).unwrap();
    }),
    writer("something beside", Directory, Same, |site, text| {
        fs::write(site.beside("notes.txt"), text).unwrap();
        fs::write(site.beside(".hidden.yaml"), text).unwrap();
    }),
    // Those who break it.
    writer("empty", Layout::File, Kept, |site, _| fs::write(site.file(), "").unwrap()),
    writer("half", Layout::File, Kept, |site, text| {
        fs::write(site.file(), &text[..text.len() / 2]).unwrap();
    }),
    writer("deleted", Layout::File, Kept, |site, _| fs::remove_file(site.file()).unwrap()),
    writer("deleted from a directory", Directory, Kept, |site, _| {
        fs::remove_file(site.file()).unwrap();
    }),
    writer("unreadable", Layout::File, Kept, |site, _| {
        fs::set_permissions(site.file(), Permissions::from_mode(0o000)).unwrap();
        if File::open(site.file()).is_ok() {
            // The superuser may read it all the same, but not this.
            replace_link(Path::new("/proc/self/mem"), &site.file());
        }
    }),
    writer("a directory in its place", Layout::File, Kept, |site, _| {
        fs::remove_file(site.file()).unwrap();
        fs::create_dir(site.file()).unwrap();
    }),
    writer("a directory in its place, in a directory", Directory, Kept, |site, _| {
        fs::remove_file(site.file()).unwrap();
        fs::create_dir(site.file()).unwrap();
    }),
    writer("a pipe", Layout::File, Kept, |site, _| {
        let pipe = site.at("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        fs::rename(pipe, site.file()).unwrap();
    }),
    writer("a socket", Layout::File, Kept, |site, _| {
        UnixListener::bind(site.at("socket")).unwrap();
        fs::rename(site.at("socket"), site.file()).unwrap();
    }),
    writer("a device", Layout::File, Kept, |site, _| {
        replace_link(Path::new("/dev/zero"), &site.file());
    }),
    writer("a link to itself", Layout::File, Kept, |site, _| {
        replace_link(Path::new("gateway.yaml"), &site.file());
    }),
    writer("links in a circle", Chain, Kept, |site, _| {
        let ring = format!("ring{}", site.next());
        symlink("current", site.at(&ring)).unwrap();
        replace_link(Path::new(&ring), &site.at("current"));
    }),
    writer("a link to nothing", Layout::File, Kept, |site, _| {
        replace_link(Path::new("nothing"), &site.file());
    }),
    writer("a chain that breaks", Chain, Kept, |site, _| {
        replace_link(Path::new("nothing"), &site.at("current"));
    }),
    writer("NUL", Layout::File, Kept, |site, text| {
        rename_over(&site.file(), format!("{text}\0"));
    }),
    writer("UTF-16", Layout::File, Kept, |site, text| {
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        let bytes: Vec<_> = units.flat_map(u16::to_le_bytes).collect();
        rename_over(&site.file(), bytes);
    }),
    writer("Latin-1", Layout::File, Kept, |site, text| {
        rename_over(&site.file(), [b"# caf\xe9\n", text.as_bytes()].concat());
    }),
    writer("huge", Layout::File, Kept, |site, text| {
        let file = File::create(site.beside("huge")).unwrap();
        (&file).write_all(text.as_bytes()).unwrap();
        file.set_len(1 << 34).unwrap();
        fs::rename(site.beside("huge"), site.file()).unwrap();
    }),
];

/// In the middle of writing, and shorter than the quiet that is waited for.
const PAUSE: Duration = Duration::from_millis(3);

/// Writes in eight pieces, so that a reader sees halves.
pub fn piecewise(file: &mut File, text: &str) {
    for piece in text.as_bytes().chunks(text.len().div_ceil(8)) {
        file.write_all(piece).unwrap();
        thread::sleep(PAUSE);
    }
}

fn synchronised(site: &Site, text: &str) {
    let mut file = File::create(site.beside(".gateway.yaml.1")).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.sync_all().unwrap();
    fs::rename(site.beside(".gateway.yaml.1"), site.file()).unwrap();
    File::open(site.at("conf")).unwrap().sync_all().unwrap();
}

/// Moves the old one away, writes a new one, and removes the backup; asks first whether it may create.
fn vim(site: &Site, text: &str) {
    fs::write(site.beside("4913"), "").unwrap();
    fs::remove_file(site.beside("4913")).unwrap();
    fs::write(site.beside(".gateway.yaml.swp"), text).unwrap();
    fs::rename(site.file(), site.beside("gateway.yaml~")).unwrap();
    fs::write(site.file(), text).unwrap();
    fs::remove_file(site.beside("gateway.yaml~")).unwrap();
    fs::remove_file(site.beside(".gateway.yaml.swp")).unwrap();
}

/// Leaves a lock that is a link to nothing, saves by itself, and keeps a backup.
fn emacs(site: &Site, text: &str) {
    symlink(OsStr::new("someone@host.1234:1"), site.beside(".#gateway.yaml")).unwrap();
    fs::write(site.beside("#gateway.yaml#"), text).unwrap();
    fs::rename(site.file(), site.beside("gateway.yaml~")).unwrap();
    fs::write(site.file(), text).unwrap();
    fs::remove_file(site.beside("#gateway.yaml#")).unwrap();
    fs::remove_file(site.beside(".#gateway.yaml")).unwrap();
}

/// Many texts one after the other, all of them right, and the right one last.
fn storm(text: &str, write: impl Fn(&str)) {
    for count in 0..20 {
        write(&format!("# {count}\n{text}"));
    }
    write(text);
}
