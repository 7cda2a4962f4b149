use super::Act;
impl Act {
    /// One line for plans.
    pub fn show(&self) -> String {
        String::new()
    }
}
