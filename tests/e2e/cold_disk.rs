//! A disk that answers slowly holds up those who wait for it, and nobody else of their thread.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use access::Privacy;

use crate::site::{Database, Setup, Site, patience};

/// The group of processes whose reads are held back, where the system has such.
const GROUPS: &str = "/sys/fs/cgroup/blkio";
/// So little that each file is waited for, its folder and its inode too.
const READS_PER_SECOND: u32 = 20;
/// How many clients ask for cold files at a time, and how many there are for each: more than a slow
/// disk gives while the others are measured. Small, and each in folders of its own, so that most of
/// what is waited for is the way to the file.
const COLD_CLIENTS: usize = 8;
const COLD_FILES: usize = 200;
const COLD_BYTES: usize = 1000;
const REQUESTS: usize = 3000;
const ROUNDS: usize = 5;
/// How much longer others may wait for their answers meanwhile; and how many reads of the disk none
/// of them waits for, which is what opening one file takes.
const SLOWER_MAX: f64 = 1.5;
const READS_MAX: u32 = 10;
const WARM: &str = "noarch/warm-1.0-0.conda";

/// A group for this test; it goes when nobody is in it any more.
struct SlowDisk(PathBuf);

impl SlowDisk {
    fn of(storage: &Path) -> Self {
        let group = Path::new(GROUPS).join(format!("condagate-test-{}", std::process::id()));
        fs::create_dir(&group).expect("root, and cgroup v1 with blkio");
        let device = fs::metadata(storage).unwrap().dev();
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        let limit = format!("{major}:{minor} {READS_PER_SECOND}");
        let limited = fs::write(group.join("blkio.throttle.read_iops_device"), limit);
        limited.expect("the storage on a whole disk, not a partition or in memory");
        Self(group)
    }

    fn take_in(&self, process: u32) {
        fs::write(self.0.join("cgroup.procs"), process.to_string()).unwrap();
    }
}

impl Drop for SlowDisk {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

fn cold(client: usize, file: usize) -> String {
    format!("label/l{client}.{file}/noarch/cold-1.0-0.conda")
}

/// Nothing of any file, folder or inode is left in memory that isn't in use.
fn forget_files() {
    rustix::fs::sync();
    fs::write("/proc/sys/vm/drop_caches", "3").unwrap();
}

/// The slowest answer but for a hundredth, the middle of several rounds; and the slowest of all.
fn slowest(site: &Site, path: &str) -> [Duration; 2] {
    let mut connection = site.connect();
    let mut round = || {
        let mut times: Vec<_> = (0..REQUESTS)
            .map(|_| {
                let begun = patience::now();
                assert_eq!(connection.get(path, &[]).unwrap().status(), 200);
                patience::now().since(begun)
            })
            .collect();
        times.sort_unstable();
        (times[REQUESTS * 99 / 100], times[REQUESTS - 1])
    };
    let (mut p99s, longest): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| round()).unzip();
    p99s.sort_unstable();
    [p99s[ROUNDS / 2], longest.into_iter().max().unwrap_or_default()]
}

#[test]
#[ignore = "measures, as root, with cgroup v1: cargo test --release --test e2e cold_disk -- --ignored --nocapture"]
fn a_cold_disk_stalls_nobody_else() {
    let mut setup = Setup::new(Database::Sqlite);
    let storage = setup.path("storage");
    let write = |file: &str, content: &[u8]| {
        let file = storage.join("demo").join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    };
    for client in 0..COLD_CLIENTS {
        (0..COLD_FILES).for_each(|file| write(&cold(client, file), &[b'c'; COLD_BYTES]));
    }
    write(WARM, &[b'w'; 20_000]);
    setup.directory("main", &storage);
    setup.set("gateway.threads", "1");
    setup.admin.channel("demo", Privacy::Private, "main", "demo");
    let token = setup.admin.token(&["demo"]).value;
    let slow_disk = SlowDisk::of(&storage);
    let site = setup.start();
    let path = |file: &str| format!("/t/{token}/demo/{file}");
    slowest(&site, &path(WARM));
    forget_files();
    let [alone, longest_alone] = slowest(&site, &path(WARM));

    slow_disk.take_in(site.process.id());
    let (done, given) = (AtomicBool::new(false), AtomicUsize::new(0));
    let [beside, longest] = std::thread::scope(|scope| {
        for client in 0..COLD_CLIENTS {
            let (site, path, done, given) = (&site, &path, &done, &given);
            scope.spawn(move || {
                let mut connection = site.connect();
                for file in 0..COLD_FILES {
                    if done.load(Ordering::SeqCst) {
                        return;
                    }
                    let answer = connection.get(&path(&cold(client, file)), &[]).unwrap();
                    assert_eq!((answer.status(), answer.body.len()), (200, COLD_BYTES));
                    given.fetch_add(1, Ordering::SeqCst);
                }
                panic!("the disk isn't slow");
            });
        }
        patience::until("a cold file", || (given.load(Ordering::SeqCst) > 0).then_some(()));
        let beside = slowest(&site, &path(WARM));
        done.store(true, Ordering::SeqCst);
        beside
    });
    let given = given.load(Ordering::SeqCst);
    println!(
        "p99 {alone:?} alone, {beside:?} beside {COLD_CLIENTS} clients that got {given} files"
    );
    println!("the longest {longest_alone:?} alone, {longest:?} beside");
    let one_read = Duration::from_secs(1) / READS_PER_SECOND;
    assert!(longest <= one_read * READS_MAX, "{longest:?}");
    assert!(beside.as_secs_f64() <= alone.as_secs_f64() * SLOWER_MAX, "{alone:?} {beside:?}");
    site.stop();
}
