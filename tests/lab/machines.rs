//! Hosts that are not what they should be: the wrong system, clones, a clock that is off.

use super::access::untouched;
use super::lab::Lab;
use super::plan::steps;

/// Three faults at once are refused at once, and nothing is changed, not even what is wrong elsewhere.
pub fn refused(lab: &Lab) {
    lab.sh(1, "firewall-cmd -q --zone=public --remove-port=7946/udp");
    // `ID=ubuntu`, and no platform; os-release is a link into /usr/lib.
    lab.sh(
        1,
        "cp /usr/lib/os-release /root/os && printf 'NAME=Ubuntu\\nID=ubuntu\\nVERSION_ID=\"22.04\"\\nPRETTY_NAME=\"Ubuntu 22.04 LTS\"\\n' >/usr/lib/os-release",
    );
    let id = lab.sh(2, "cat /etc/machine-id");
    lab.sh(
        3,
        &format!(
            "cp /etc/machine-id /root/id && echo {} >/etc/machine-id",
            id.trim()
        ),
    );
    lab.sh(
        2,
        r#"cp /usr/bin/date /root/date
           printf '#!/bin/sh\nexec /root/date -d "1 hour" "$@"\n' >/root/later; chmod 755 /root/later
           mount --bind /root/later /usr/bin/date"#,
    );
    let run = lab.provision(&["--output", "json"]).expect(3);
    let plan = run.plan();
    assert!(run.done().is_empty(), "{}", run.out);
    let summary = run.summary();
    assert_eq!(summary["outcome"], "refused");
    assert_eq!(summary["changes"], 0);
    let refusals = plan["refusals"].as_array().unwrap();
    assert_eq!(&plan["refusals"], &summary["refusals"]);
    let because = |code: &str| {
        let found = refusals.iter().find(|refusal| refusal["code"] == code);
        found
            .unwrap_or_else(|| panic!("no {code} in {refusals:#?}"))
            .to_string()
    };
    assert!(because("H21").contains("ke2-server1 is not an EL9 host"));
    assert!(because("H21").contains("Ubuntu 22.04 LTS"));
    assert!(because("H23").contains("ke2-server2, ke2-server3 have one machine-id"));
    assert!(because("H23").contains(id.trim()));
    assert!(because("H26").contains("the clock of ke2-server2 is more than a minute ahead"));
    assert_eq!(refusals.len(), 3, "{refusals:#?}");
    for refusal in refusals {
        assert!(!refusal["hint"].as_str().unwrap().is_empty());
    }
    let query = "firewall-cmd --zone=public --query-port=7946/udp || true";
    assert_eq!(lab.sh(1, query), "no\n", "a refused run changes nothing");
    lab.sh(1, "cat /root/os >/usr/lib/os-release");
    lab.sh(2, "umount /usr/bin/date");
    lab.sh(3, "cat /root/id >/etc/machine-id");
    let run = lab.provision(&["--output", "json"]).expect(0);
    assert_eq!(steps(&run.plan()).len(), 1);
    untouched(lab);
}
