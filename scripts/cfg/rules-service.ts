/** Rules about services. The columns are told in rule-table.ts. */
export const serviceRules = `
service-type ; E ; 3.1+ ; service ; init skips it ; write an object
name-missing ; E ; 3.1+ ; service ; init skips the service ; give it a "name" as a string
name-long ; E ; 3.1 ; service ; 3.1 skips a service whose name has more than 31 characters ; shorten it
name-longish ; W ; 3.2+ ; service ; the state parameter startup.service.ctl.NAME and its trigger no longer fit ; keep it to 32 characters
name-odd ; W ; 3.1+ ; service ; "start NAME" cuts it at a space and takes what follows "|" as arguments ; use letters, digits, "_" and "-"
name-twice ; E ; 3.1 ; service ; 3.1 ignores the second one ; merge them
name-merged ; W ; 3.2+ ; service ; init merges them: keys that the second does not repeat keep their old value ; merge them yourself
key-refused ; E ; 3.1 ; service ; 3.1 knows 22 keys in exact spelling and skips a service with any other ; leave it out of the file for 3.1
key-unknown ; W ; 3.2+ ; service ; init ignores it in silence ; remove it or correct the spelling
key-early ; H ; 3.2+ ; service ; this release ignores it in silence ; nothing, if the service does without it there
key-late ; W ; 3.2+ ; service ; this release no longer knows it ; remove it
key-case ; E ; 3.1+ ; service ; init compares this key exactly and ignores other spellings in silence ; write it in lower case
key-case-odd ; W ; 3.2+ ; service ; init takes it, other readers and 3.1 do not ; write it in lower case
path-missing ; E ; 3.1+ ; service ; the service is unusable ; give it "path": an array of the program and its arguments
path-type ; E ; 3.1+ ; service ; the service is unusable ; write an array of 1 to 19 strings, one word each
path-count ; E ; 3.1+ ; service ; the service is unusable: init takes 1 to 19 words ; put a script in between
path-long ; E ; 3.1+ ; service ; the service is unusable: a word has at most 200 characters ; put a script in between
path-relative ; E ; 3.1+ ; common-service ; init looks the program up from /, without PATH and shell ; write the absolute path
uid-missing ; W ; 3.1+ ; service ; without uid the service runs as root, and the build's check does not see it ; write "uid": "root" or another user
uid-type ; E ; 3.1+ ; service ; 3.1 runs the service as root, later releases do not run it ; write a user name or number
uid-empty ; E ; 3.1+ ; utils ; init reads an empty text as the number 0: root ; write the user
uid-unknown ; W ; 3.1+ ; passwd ; unless the product adds the user to /etc/passwd, the service never runs ; use a known user, or add it through passwd_appender
gid-type ; E ; 3.1+ ; service ; the service is unusable, or up to 3.2 runs with a group left to chance ; write a group name, a number, or an array of them
gid-zero ; E ; 3.1+ ; utils ; init reads an empty text as the number 0: group root ; write the group
gid-empty ; E ; 3.1+ ; service ; the service is unusable ; leave gid out: then gid is uid
gid-unknown ; W ; 3.1+ ; passwd ; unless the product adds the group, the service is unusable ; use a known group
gid-skipped ; W ; 3.2+ ; passwd ; init skips an unknown group of a list in silence ; use a known group
gid-root ; E ; 3.1 ; service ; 3.1 looks groups up among the users and turns one that it does not find into group 0, root ; use a number
number-type ; E ; 3.1+ ; service ; the service is unusable: this key wants a number ; write a number without quotes
number-ignored ; E ; 3.1+ ; service ; only 1 means yes ; write 0 or 1
importance-range ; E ; 3.1+ ; service ; the service is unusable: want -20 to 19 ; write a number in this range
boolean-type ; E ; 3.1+ ; service ; the service is unusable: this key wants true or false ; write true or false without quotes
disabled-idle ; W ; 3.1+ ; service ; init reads it and never looks at it again: the service starts ; write "start-mode": "condition"
console-kmsg ; W ; 3.1-4.0 ; service ; before 4.1 only 1 means something ; write 1, or let the program open /dev/kmsg
critical-form ; E ; 3.1+ ; service ; the service is unusable: want [x] or [x, count, seconds] with count and seconds above 0 ; write [0]
critical-on ; W ; 3.1+ ; common-service ; too many ends, exit status 0 included, restart the board (3.1) or panic it (3.2 on) ; leave it out for anything that may fail
critical-ondemand ; E ; 3.1+ ; service ; the service is unusable: critical and ondemand exclude each other ; leave one out
list-type ; E ; 3.1+ ; service ; init ignores it in silence ; write an array of strings
list-count ; E ; 3.1+ ; service ; init ignores the whole list: want fewer than 100 entries ; shorten it
list-long ; E ; 3.1+ ; service ; init ignores what follows: a word has at most 200 characters ; shorten it
apl-unknown ; W ; 3.1+ ; service ; the access token takes normal, system_basic or system_core ; use one of them
cpucore-empty ; E ; 3.2+ ; service ; init writes through a null pointer: process 1 dies and the board does not boot ; leave cpucore out, or name a CPU
cpucore-type ; E ; 3.1+ ; service ; init ignores it in silence ; write an array of CPU numbers
env-type ; E ; 5.0.0+ ; service ; init ignores it in silence ; write an array of {"name", "value"}
env-item ; E ; 5.0.0+ ; service ; the service is unusable ; write {"name": "X", "value": "y"} with texts that are not empty
env-long ; E ; 5.0.0+ ; service ; init copies it without looking at the room: memory of process 1 is overrun ; keep names below 64 and values below 128 characters
env-param ; W ; 5.0.0+ ; service ; init does not expand parameters here ; let the program read the parameter
period-type ; E ; 5.0.0+ ; service ; the service is unusable: want seconds as a number ; write a number
caps-type ; E ; 3.1+ ; capability ; init ignores it in silence: a root service keeps every capability ; write an array
caps-many ; E ; 3.1+ ; capability ; the service is unusable: want at most 100 ; shorten it
caps-unknown ; E ; 3.1+ ; capability ; init skips it; its table ends at PERFMON, wants upper case, with or without CAP_ ; write a known name or a number
caps-root ; W ; 5.0.0+ ; capability ; root keeps only these, everything else leaves the bounding set, also for its children ; leave caps out for a daemon that starts containers
ondemand-socket ; W ; 3.1+ ; service ; nothing can demand it ; give it a socket
mode-unknown ; W ; 3.1+ ; service ; init falls back to its default in silence ; use one of the known words
jobs-type ; E ; 3.1+ ; service ; init ignores it in silence ; write an object such as {"on-stop": "NAME"}
jobs-key ; W ; 3.1+ ; service ; init ignores it in silence ; use on-boot, pre-start (5.0.0 on), on-start, on-stop or on-restart
jobs-early ; H ; 3.1-4.1 ; service ; pre-start jobs begin with 5.0.0 ; use a boot-stage job before
jobs-undefined ; W ; 3.1+ ; trigger ; this file has no such job ; define it here, or make sure another file does
onstart-start ; E ; 3.1+ ; common-service ; an on-start job runs in the forked child: the process that it starts is none that init knows ; start it from a boot-stage job
prestart-sync ; W ; 5.0.0+ ; common-service ; a pre-start job runs in init: the whole system waits for the program ; make it an on-start job, or bound its time
socket-type ; E ; 3.1+ ; service ; init makes no socket ; write an array of objects
socket-field ; E ; 3.1+ ; service ; init drops every socket of the service ; give name (at most 32 characters), family, type, protocol, permissions, uid and gid as strings
socket-word ; W ; 3.1+ ; service ; init falls back to its default in silence ; use one of the known words
file-field ; E ; 3.1+ ; service ; init drops every file of the service ; write "PATH rd|wd|rw PERMISSIONS UID GID"
onrestart-once ; H ; 3.2+ ; common-service ; init runs these commands at the first restart only ; use an on-restart job
kernel-permission ; E ; 6.0+ ; service ; init ignores it ; write an object of fewer than 64 numbers and booleans
secon-missing ; W ; 3.2+ ; selinux ; the service runs as limit_domain, which may do next to nothing in enforcing mode ; give it a domain, on development images "u:r:su:s0"
secon-form ; E ; 3.1+ ; selinux ; setexeccon fails and the child ends ; write it as u:r:DOMAIN:s0
secon-su ; H ; 4.0+ ; selinux ; domain su is permissive on root-variant images only; a user-variant image has none ; use a domain of its own for user images
sandbox-note ; H ; 3.2+ ; sandbox ; a program below /system/bin or /vendor/bin runs in the mount sandbox that all such services share ; write "sandbox": 0 if it mounts, or must see what others mount
sandbox-shared ; W ; 3.2+ ; sandbox ; a program below /system/bin or /vendor/bin runs in the mount sandbox that all such services share: mounts stay invisible outside, the other ones invisible inside ; write "sandbox": 0
setuid-note ; H ; 5.0.1+ ; adapter ; init locks the keep-caps bit for the service and everything below it ; write "setuid": true if it starts containers or gives up root by itself
setuid-lock ; W ; 5.0.1+ ; adapter ; init locks the keep-caps bit for everything below: runc fails with "unable to set keep caps" and no container starts ; write "setuid": true
stop-kill ; W ; 3.1+ ; common-service ; init stops a service with SIGKILL to its one process; containers stay behind without their daemon ; give it an on-stop job that stops them in order
path-env ; W ; 3.1+ ; common-service ; init sets neither PATH nor HOME, so the program finds none of its helpers ; set PATH in env (5.0.0 on) or start it through a script
cgroup-kill ; W ; 5.1.0+ ; common-service ; init kills everything in the service's pids group when it stops, the shims of containers included ; leave cgroup out where containers must outlive the daemon
`;
