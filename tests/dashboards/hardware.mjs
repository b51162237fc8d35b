// The hardware that a virtual machine has not: node hardware.mjs FOLDER makes FOLDER/proc and FOLDER/sys, the machine's
// own by links, with a temperature, a fan, a power supply, a cooling device, frequencies of the CPU, its schedule and
// interrupt pressure beside. For public.mjs: what a dashboard asks of hardware then says something of the collector.

import {mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

const [root] = process.argv.slice(2);
if (!root) throw new Error('usage: node hardware.mjs FOLDER');
rmSync(root, {recursive: true, force: true});

// All that `folder` of the machine holds, but for what comes otherwise.
function link(folder, without = []) {
  mkdirSync(join(root, folder), {recursive: true});
  for (const name of readdirSync(join('/', folder))) {
    if (!without.includes(name)) symlinkSync(join('/', folder, name), join(root, folder, name));
  }
}

function write(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, folder, name);
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(path, `${text}\n`);
  }
}

const kCpu = 'sys/devices/system/cpu';

link('proc', ['pressure', 'schedstat']);
link('proc/pressure', ['irq']);
link('sys', ['class', 'devices']);
link('sys/class', ['hwmon', 'thermal', 'power_supply']);
link('sys/devices', ['system']);
link('sys/devices/system', ['cpu']);
link(kCpu, ['cpu0', 'cpufreq']);
link(`${kCpu}/cpu0`, ['cpufreq']);
symlinkSync('../cpufreq/policy0', join(root, kCpu, 'cpu0/cpufreq')); // as the kernel has it

write('proc', {
  'pressure/irq': 'full avg10=0.00 avg60=0.00 avg300=0.00 total=8494431',
  schedstat: 'version 15\ntimestamp 15819019232\ncpu0 0 0 0 0 0 0 2045936778163 343796328169 4767485306\n' +
      'cpu1 0 0 0 0 0 0 1904686152592 364107263788 5145567945'});
write(`${kCpu}/cpufreq/policy0`, {
  affected_cpus: '0', related_cpus: '0', scaling_governor: 'performance', scaling_available_governors: 'performance powersave',
  scaling_driver: 'intel_pstate', scaling_cur_freq: 2400000, scaling_min_freq: 800000, scaling_max_freq: 3700000,
  cpuinfo_cur_freq: 2400000, cpuinfo_min_freq: 800000, cpuinfo_max_freq: 3700000});
write('sys/class/hwmon/hwmon0', {
  name: 'coretemp', temp1_label: 'Package id 0', temp1_input: 55000, temp1_max: 84000, temp1_crit: 100000, temp1_crit_alarm: 0,
  temp1_crit_hyst: 95000, fan1_input: 1098, fan1_min: 0});
write('sys/class/thermal/cooling_device0', {type: 'Processor', cur_state: 1, max_state: 50});
write('sys/class/power_supply/AC', {type: 'Mains', online: 1});
