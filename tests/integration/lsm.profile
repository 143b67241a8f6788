# The AppArmor profile of lsm.sh: allows all but reading one file.
profile aril-test flags=(attach_disconnected,mediate_deleted) {
    file,
    capability,
    network,
    signal,
    ptrace,
    unix,
    deny /etc/shut r,
}
