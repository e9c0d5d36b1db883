import { isSince, type Release } from './release.ts';

/*
 * Users and groups that init itself brings: openharmony/startup_init services/etc/passwd and group, by the release that
 * adds (+) or drops (-) them. A product can add its own through passwd_appender.
 */

const users = `
3.1 +a2dp_host +access_token +account +app +appspawn +audio +audio_hdi_server_host +bin +blue_host +bluetooth
  +cache +camera_host +cameraserver +codec_host +connected_tag_host +dcamera_host +ddms +dfs +dhcp
  +disp_gralloc_host +display_gralloc_host +dms +drm +dsoftbus +file_manager +gps +gralloc_host +graphics
  +hdf_devmgr +hwc_host +input_user_host +keystore +light_dal_host +log +logd +media +media_rw +misc
  +net_bw_acct +net_bw_stats +nfc +nfc_host +package_info +power_host +radio +readproc +riladapter_host +root
  +samgr +sample_host +sdcard_r +sensor_dal_host +sensor_host +shared_relro +shell +system +uhid +usb +usb_host
  +usbfnMaster_host +user_data_rw +vibrator_dal_host +vpn +wakelock +wifi +wifi_c_host +wifi_host
3.2 +accessibility +audio_host +av_session +backup +bgtask +cert_manager_server +charger +daudio +daudio_host
  +dbms +dcamera +dev_vibrator +device_attest +device_manager +device_usage_stats +deviceauth +deviceinfo
  +dfs_share +dhardware +dinput +dlp_credential +dlp_permission +download +dscreen +dslm +dsserver +edm
  +faultloggerd +foundation +hidumper_service +hiprofiler +hiview +huks_server +input +inputmethod +installs
  +ispserver +light_host +location_host +memmgr +motion_host +msdp +net_manager +paramwatcher +pasteboard
  +quickfix +quickfixserver +screenlock +security_guard +sensor +storage_manager +tee +time +ueventd +uiserver
  +update +useriam +vendor_mpp_driver +vibrator_host +wallpaper +watchdog -appspawn -light_dal_host
  -sensor_dal_host -vibrator_dal_host -wifi_c_host
4.0 +allocator_host +code_sign +composer_host +cups +dev_camera +dev_dma_heap +dev_lcd_backlight +dev_memory
  +face_auth_host +fingerprint_auth_host +hdf_ext_devmgr +intell_voice +intell_voice_host +netsys_socket
  +netsysnative +nwebspawn +oaid_service +pin_auth_host +print +se_service +secure_element_host
  +security_component +servicerouter +usbfn_host +user_auth_host +vcodec -disp_gralloc_host
  -display_gralloc_host -gralloc_host -hwc_host -usbfnMaster_host
4.1 +asset_service +cast_engine_service +clearplay_host +device_cert_manager_server +drmserver +huawei_id +i18n
  +security_collector +sharing_service +wiseplay_host
5.0.0 +app_domain_verify +compiler_service +data_reserve +el5_filekey_manager +media_monitor +powermgr +ressched
  +sandbox_manager +testserver
5.0.1 +app_fwk_update
5.1.0 +gamecontroller_server
6.0 +access_control_level_manager +font_manager +mechbody +nfc_tag +sysselection -huawei_id
6.1 +cloud_disk_service +midi_server +ufs +web_native_messaging_service
7.0 +aimgr +audio_suite_server +compatibility_config_center +disk_manager +fusion_host +histogram_sa
  +object_editor_service +qos_manager +secure_access_fence +serial +storage_space_manager
`;

const groups = `
3.1 +a2dp_host +access_token +account +app +audio +audio_hdi_server_host +bin +blue_host +bluetooth +cache
  +camera_host +cameraserver +codec_host +connected_tag_host +dcamera_host +ddms +dfs +dhcp +disp_gralloc_host
  +display_gralloc_host +dms +drm +dsoftbus +file_manager +gps +gralloc_host +graphics +hdf_devmgr +hwc_host
  +input_user_host +keystore +light_dal_host +log +logd +media +media_rw +misc +net_bw_acct +net_bw_stats +nfc
  +nfc_host +package_info +power_host +radio +readproc +riladapter_host +root +samgr +sample_host +sdcard_r
  +sensor_dal_host +sensor_host +servicectrl +shared_relro +shell +system +uhid +usb +usb_host +usbfnMaster_host
  +user_data_rw +vibrator_dal_host +vpn +wakelock +wifi +wifi_c_host +wifi_host
3.2 +accessibility +appspawn +audio_host +av_session +backup +bgtask +bootctrl +cert_manager_server +charger
  +daudio +daudio_host +dcamera +dev_vibrator +device_attest +device_manager +device_usage_stats +deviceauth
  +deviceinfo +deviceprivate +dfs_share +dhardware +dinput +dlp_credential +dlp_permission +download +dscreen
  +dslm +dsserver +edm +foundation +hidumper_service +hiview +huks_server +input +inputmethod +installs
  +ispserver +light_host +location_host +memmgr +motion_host +msdp +net_manager +paramwatcher +pasteboard
  +powerctrl +quickfixserver +screenlock +security_guard +sensor +storage_manager +tee +time +ueventd
  +uhdf_driver +uiserver +update +useriam +vendor_mpp_driver +vibrator_host +wallpaper +watchdog +wifi_group
  -light_dal_host -sensor_dal_host -vibrator_dal_host -wifi_c_host
4.0 +allocator_host +code_sign +composer_host +cups +dev_camera +dev_dma_heap +dev_lcd_backlight +dev_memory
  +face_auth_host +fingerprint_auth_host +hdf_ext_devmgr +intell_voice +intell_voice_host +netsys_socket
  +netsysnative +nwebspawn +oaid_service +pin_auth_host +print +se_service +secure_element_host
  +security_component +servicerouter +usbfn_host +user_auth_host +vcodec -disp_gralloc_host
  -display_gralloc_host -gralloc_host -hwc_host -usbfnMaster_host
4.1 +asset_service +cast_engine_service +clearplay_host +device_cert_manager_server +drmserver +huawei_id +i18n
  +security_collector +sharing_service +user_data_r +wiseplay_host
5.0.0 +app_domain_verify +compiler_service +data_reserve +el5_filekey_manager +media_db_rw +media_monitor
  +powermgr +ressched +sandbox_manager +testserver
5.0.1 +app_fwk_update
5.0.2 +app_install
5.1.0 +gamecontroller_server +shader_cache
6.0 +access_control_level_manager +font_manager +mechbody +nfc_tag +sysselection -huawei_id
6.1 +cloud_disk_service +midi_server +ufs +web_native_messaging_service
7.0 +aimgr +audio_suite_server +compatibility_config_center +disk_manager +fusion_host +histogram_sa
  +object_editor_service +qos_manager +secure_access_fence +serial +storage_space_manager
`;

function namesAt(history: string, release: Release): ReadonlySet<string> {
  const names = new Set<string>();
  let applies = true;
  for (const word of history.trim().split(/\s+/)) {
    const name = word.slice(1);
    if (word.startsWith('+')) {
      if (applies) names.add(name);
    } else if (word.startsWith('-')) {
      if (applies) names.delete(name);
    } else {
      applies = isSince(release, word as Release);
    }
  }
  return names;
}

/** Reports whether init's own /etc/passwd of a release has a user. */
export function isKnownUser(name: string, release: Release): boolean {
  return namesAt(users, release).has(name);
}

/** Reports whether init's own /etc/group of a release has a group. */
export function isKnownGroup(name: string, release: Release): boolean {
  return namesAt(groups, release).has(name);
}
