"""Workload W in this program's language, for the speed harness (see docs/performance.md).

The harness loads this file by `PROVISION_WORKLOAD=benches/w` and starts the binary that `PROVISION_BIN` names.
The files and templates of W are read from the harness's own `workload` folder: what is compared is the same bytes.
"""
import json
import os
import re
from pathlib import Path

SITE = Path(__file__).resolve().parent / "site.yml"


class Provision:
    name = "provision"

    def __init__(self):
        self.bin = Path(os.environ["PROVISION_BIN"]).resolve()

    def available(self):
        return "" if self.bin.is_file() else f"{self.bin}: no such file"

    def prepare(self, run):
        text = json.dumps
        hosts = "".join(f"    {h}: {{}}\n" for h in run.hosts)
        # All hosts are one machine: a lock for each.
        (run.work / "inventory.yml").write_text(
            "all:\n  vars:\n"
            f"    ansible_user: {text(run.user)}\n"
            f"    ansible_port: {run.port}\n"
            f"    ansible_ssh_private_key_file: {text(str(run.key))}\n"
            f"    ansible_ssh_common_args: {text('-o IdentitiesOnly=yes -o GSSAPIAuthentication=no')}\n"
            f"    known_hosts_file: {text(str(run.known_hosts))}\n"
            "    ansible_become: false\n"
            "    manage_hosts: false\n"  # W's hosts are named by their addresses
            f"    lock_path: {text(f'{run.work}/lock-{{{{ inventory_hostname }}}}')}\n"
            f"  hosts:\n{hosts}"
            f"  children:\n    leader:\n      hosts:\n        {run.leader}: {{}}\n"
        )

    def command(self, run, phase):
        argv = [self.bin, "inventory.yml", "--playbook", SITE, "--log-file", run.work / f"log-{phase}"]
        for key, value in {"hosts_root": run.hosts_root, "data": run.bench / "workload", "rev": run.rev(phase)}.items():
            argv += ["-e", f"{key}={value}"]
        argv += ["--forks", str(max(5, min(50, len(run.hosts))))]
        return argv + (["--dry-run"] if phase == "check" else []), {}

    def read(self, run, phase, text):
        recap = re.findall(r"^(\S+)\s+ok (\d+)\s+changed (\d+)\s+failed (\d+)", text, re.M)
        return {
            "hosts_seen": len(recap), "changed": sum(int(r[2]) for r in recap), "failed": sum(int(r[3]) for r in recap),
        }
