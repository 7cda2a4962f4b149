//! Disks that are full, and mounts that hang.

use super::access::untouched;
use super::lab::Lab;

const REPO: &str = "/etc/yum.repos.d/docker-ce.repo";

/// No space where a file is to be written: the old file stays as it was, and nothing is left beside it.
pub fn full(lab: &Lab) {
    // A small file system of its own over the folder.
    lab.sh(
        1,
        "cp -a /etc/yum.repos.d /root/repos; mount -t tmpfs -o size=64k none /etc/yum.repos.d; cp -a /root/repos/. /etc/yum.repos.d; \
         sed -i s/^gpgcheck=1/gpgcheck=0/ /etc/yum.repos.d/docker-ce.repo; \
         dd if=/dev/zero of=/etc/yum.repos.d/fill bs=4k 2>/dev/null || true",
    );
    let state = format!("cat {REPO}; stat -c '%Y %i %a %U' {REPO}; ls -A /etc/yum.repos.d");
    let before = lab.sh(1, &state);
    assert!(before.contains("gpgcheck=0"), "{before}");
    lab.provision(&[]).expect(1).says(&[
        "ke2-server1: repository/docker-ce-stable: failed",
        "No space left on device",
        "was not written, and is as it was",
    ]);
    assert_eq!(lab.sh(1, &state), before);
    lab.sh(1, "rm /etc/yum.repos.d/fill");
    lab.provision(&[])
        .expect(0)
        .says(&["done and verified: 1 changes"]);
    lab.sh(1, "umount /etc/yum.repos.d; rm -r /root/repos");
    untouched(lab);
}

/// A file system whose server is dead: a FUSE mount that nobody answers for.
const HANG: &str = r#"cat >/root/hang.py <<'END'
import ctypes, os, struct, time
target = "/mnt/hung"
os.makedirs(target, exist_ok=True)
device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
if ctypes.CDLL(None).mount(b"hung", target.encode(), b"fuse", 0, options):
    raise OSError("mount")
# The kernel's greeting is answered (FUSE_INIT, protocol 7.31), and nothing after it.
unique = struct.unpack("<IIQ", os.read(device, 1 << 17)[:16])[2]
answer = struct.pack("<IIIIHHIIHHI", 7, 31, 65536, 0, 0, 0, 65536, 0, 0, 0, 0) + b"\0" * 24
os.write(device, struct.pack("<IiQ", 16 + len(answer), 0, unique) + answer)
open("/run/hung", "w").write(str(os.getpid()))
time.sleep(1 << 20)
END
setsid python3 /root/hang.py >/root/hang.log 2>&1 </dev/null &
for i in $(seq 100); do [ -s /run/hung ] && exit; sleep 0.1; done; cat /root/hang.log; exit 1"#;

/// One host's mount hangs: its task there is unknown, what comes before it is done, the other hosts are not held up.
pub fn hung(lab: &Lab) {
    lab.sh(3, HANG);
    // Nothing of the usual playbook is there.
    untouched(lab);
    let playbook = lab.files.path().join("hung.yml");
    let text = "\
- name: hung
  hosts: all
  tasks:
    - name: before
      file: { path: /root/before, content: \"1\\n\" }
    - name: on the mount
      file: { path: /mnt/hung/file, content: \"1\\n\" }
    - name: after
      file: { path: /root/after, content: \"1\\n\" }
";
    std::fs::write(&playbook, text).unwrap();
    for host in [1, 2] {
        lab.sh(host, "mkdir -p /mnt/hung");
    }
    let words = ["--playbook", playbook.to_str().unwrap(), "--output", "json"];
    let run = lab.provision(&words).expect(1);
    let unknown = &run.plan()["unknown"];
    assert_eq!(unknown.as_array().unwrap().len(), 1, "{unknown:#}");
    assert_eq!(unknown[0]["task"], "on the mount");
    assert_eq!(unknown[0]["hosts"], serde_json::json!(["ke2-server3"]));
    let why = unknown[0]["why"].as_str().unwrap();
    assert!(why.contains("no answer within"), "{why}");
    let files = "cat /root/before /root/after /mnt/hung/file";
    for host in [1, 2] {
        assert_eq!(lab.sh(host, files), "1\n1\n1\n");
    }
    let third = lab.try_sh(3, "cat /root/before; cat /root/after");
    assert_eq!(third.stdout, b"1\n", "{}", run.out);
    assert_eq!(run.summary()["hosts"]["ke2-server3"]["changed"], 1);
    lab.sh(
        3,
        "kill $(cat /run/hung); umount -l /mnt/hung; rm -rf /mnt/hung; mkdir /mnt/hung",
    );
    lab.provision(&words).expect(0);
    assert_eq!(lab.sh(3, files), "1\n1\n1\n");
    untouched(lab);
}
