//! The URL of the database: every part percent-encoded, so that no password can break it apart.

/// Characters of RFC 3986's `unreserved`; all others are encoded.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// `text` for any part of a URL.
pub fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if is_unreserved(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// `pgsql://USER:PASSWORD@HOST:9999/DATABASE`. The source always writes kompira/kompira here, whatever
/// the passwords of the database are.
pub fn url(user: &str, password: &str, host: &str, port: u16, database: &str) -> String {
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    format!(
        "pgsql://{}:{}@{host}:{port}/{}",
        percent(user),
        percent(password),
        percent(database)
    )
}

/// The URL with its password masked. What cannot be taken apart is masked as a whole.
pub fn masked(url: &str, mask: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return mask.to_owned();
    };
    // A password with a bare `@` would end too early at the first one, so the last one before the path counts.
    match rest.rsplit_once('@') {
        None if rest.contains(':') && rest.contains("pass") => mask.to_owned(),
        None => url.to_owned(),
        Some((account, place)) => {
            let user = account.split(':').next().unwrap_or_default();
            let place = place.split(['?', '#']).next().unwrap_or_default();
            format!("{scheme}://{user}:{mask}@{place}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_passwords_survive() {
        assert_eq!(
            url(
                "kompira",
                "p@ss:w/rd?#%$'\"{{é",
                "10.20.0.100",
                9999,
                "ko db"
            ),
            "pgsql://kompira:p%40ss%3Aw%2Frd%3F%23%25%24%27%22%7B%7B%C3%A9@10.20.0.100:9999/ko%20db"
        );
        assert_eq!(
            url("k", "0123", "::1", 9999, "k"),
            "pgsql://k:0123@[::1]:9999/k"
        );
    }

    #[test]
    fn a_password_is_masked_however_it_is_written() {
        assert_eq!(masked("pgsql://k:a@b:c@h:1/d", "*"), "pgsql://k:*@h:1/d");
        assert_eq!(masked("pgsql://k:a@h/d?password=x", "*"), "pgsql://k:*@h/d");
        assert_eq!(masked("redis://redis:6379", "*"), "redis://redis:6379");
        assert_eq!(masked("nonsense secret", "*"), "*");
    }
}
