/** Rules about the file as a whole and about the product's build. The columns are told in rule-table.ts. */
export const fileRules = `
file-name ; E ; 3.1+ ; utils ; init reads only files whose first ".cfg" is their end, so this one is never read ; name it NAME.cfg
file-empty ; E ; 3.1+ ; utils ; an empty file reads as "not found" ; write at least {}
file-large ; E ; 3.1+ ; utils ; a file above 102400 bytes reads as "not found" and is lost as a whole ; split it
json-broken ; E ; 3.1+ ; json ; the whole file is lost, with one line in the log ; repair the JSON; comments and trailing commas are no JSON
json-mark ; W ; 3.2+ ; build ; init accepts a byte order mark, the build's check stops at it ; save the file as UTF-8 without a byte order mark
json-garbage ; W ; 3.2+ ; build ; init does not look behind the JSON, the build's check stops there ; remove what follows the last bracket
json-twice ; E ; 3.1+ ; json ; init takes the first, the build's check and most readers the last ; keep one
root-type ; E ; 3.1+ ; config ; nothing is read from it ; write an object with services, jobs or import
root-key ; W ; 3.1+ ; config ; init ignores it in silence ; use services, jobs or import, in this spelling
root-array ; E ; 3.1+ ; config ; init ignores it in silence ; write an array
import-item ; E ; 3.1+ ; config ; init stops reading imports there ; name files as strings
services-many ; E ; 3.1-3.2 ; service ; above 100 services in one file none of them is read ; split the file
file-chipset ; H ; 4.0+ ; chipset ; its services start from domain chipset_init and its privileged commands run there, so SELinux must allow chipset_init, not init ; install it in /system/etc/init, or write the policy for chipset_init
build-list ; E ; 3.2+ ; build ; the build stops: some services are not authenticated ; add {"name", "uid"} to high_privilege_process_list.json of the product
build-list-asked ; H ; 3.2+ ; build ; the build stops where high_privilege_process_list.json of the product does not name it ; add it, and check with --process-list FILE
build-socket-uid ; E ; 3.2+ ; build ; the build stops: uid and uid in socket is not same ; use one uid for service and socket
build-critical ; E ; 4.0+ ; build ; the build's check reads critical[0] and stops at a bare number ; write an array such as [0]
build-critical-on ; W ; 4.0+ ; build ; the build stops where critical_reboot_process_list.json does not hold the same value ; leave critical out
build-uid-case ; W ; 3.2+ ; build ; init takes it, the build's check reads uid in this spelling only ; write "uid"
`;
