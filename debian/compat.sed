# main.cf of the host's mail transport agent: its aliases are the host's
/^# Aliases of mydestination/,/^alias_maps/c\
# Aliases of mydestination: those of the host (aliases(5)). The command\
# newaliases makes a change count.\
alias_maps = lmdb:/etc/aliases
