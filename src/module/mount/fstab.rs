//! The table of file systems, /etc/fstab, of which one line is ours.

use crate::module::line::{bare, lines};

/// fstab(5): a space is `\040`, a tab `\011`, a backslash `\134`.
pub(super) fn escape(field: &str) -> String {
    field
        .replace('\\', "\\134")
        .replace(' ', "\\040")
        .replace('\t', "\\011")
        .replace('\n', "\\012")
}

/// The fields of a line of the table.
pub(super) fn words(line: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bare(line)).into_owned();
    let words = text.split_whitespace().map(str::to_owned);
    words.take_while(|word| !word.starts_with('#')).collect()
}

/// The table with the line in the place of the last one for the same mount point, else at the end.
pub(super) fn set(now: &[u8], fields: &[String; 6]) -> Vec<u8> {
    let ours = |line: &[u8]| {
        words(line)
            .get(1)
            .is_some_and(|place| place.trim_end_matches('/') == fields[1])
    };
    let same = |line: &[u8]| {
        let mut words = words(line);
        // Both numbers may be left out.
        while words.len() < 6 {
            words.push("0".to_owned());
        }
        words == *fields
    };
    let line = format!("{}\n", fields.join(" "));
    let all: Vec<&[u8]> = lines(now).collect();
    let Some(place) = all.iter().rposition(|line| ours(line)) else {
        let mut new = now.to_vec();
        if !new.is_empty() && !new.ends_with(b"\n") {
            new.push(b'\n');
        }
        new.extend_from_slice(line.as_bytes());
        return new;
    };
    if same(all[place]) {
        return now.to_vec();
    }
    [
        &all[..place].concat(),
        line.as_bytes(),
        &all[place + 1..].concat(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::{escape, set};

    fn put(now: &str) -> String {
        let fields = ["/dev/sdb", "/data/my brick", "xfs", "defaults", "0", "0"].map(escape);
        String::from_utf8(set(now.as_bytes(), &fields)).unwrap()
    }

    #[test]
    fn a_mount_point_has_one_line() {
        let line = "/dev/sdb /data/my\\040brick xfs defaults 0 0\n";
        assert_eq!(put(""), line);
        assert_eq!(put(line), line);
        let spaced = "# x\n/dev/sdb\t/data/my\\040brick  xfs defaults\n/dev/sda / xfs defaults 0 1";
        assert_eq!(put(spaced), spaced);
        assert_eq!(
            put("/dev/sdc /data/my\\040brick xfs noatime\n/dev/sda / xfs defaults 0 1"),
            format!("{line}/dev/sda / xfs defaults 0 1")
        );
        assert_eq!(
            put("/dev/sda / xfs defaults 0 1"),
            format!("/dev/sda / xfs defaults 0 1\n{line}")
        );
    }
}
