import {dashboard, gauge, graph, q, redAbove, row, stat, table, variable} from './grafana.mjs';

const i = 'instance=~"$instance"';
const disk = `${i}, device=~"$device"`;
const fs = `${i}, fstype!~"tmpfs|ramfs|overlay|squashfs"`;
const rate = '[$__rate_interval]';

export default dashboard({
  name: 'host', title: 'Host', tags: ['host'],
  description: 'CPU, memory, disks, filesystems and network of the machines, under node_exporter\'s names.',
  variables: [
    variable('instance', 'node_uname_info, instance', {label: 'Host', description: 'Empty where vigia itself is the data source.'}),
    variable('device', `node_disk_io_time_seconds_total{${i}}, device`, {label: 'Disk'}),
  ],
  panels: [
    gauge({title: 'CPU busy', description: 'Share of all CPUs\' time that was not idle.', thresholds: redAbove(0.8, 0.95),
           queries: [q(`1 - avg(rate(node_cpu_seconds_total{${i}, mode="idle"}${rate}))`)]}),
    gauge({title: 'Memory used', description: 'What is neither free nor cheaply reclaimed.', thresholds: redAbove(0.85, 0.95),
           queries: [q(`1 - sum(node_memory_MemAvailable_bytes{${i}}) / sum(node_memory_MemTotal_bytes{${i}})`)]}),
    gauge({title: 'Fullest filesystem', description: 'Used share of the fullest filesystem that is not in memory.', thresholds: redAbove(0.8, 0.9),
           queries: [q(`max(1 - node_filesystem_avail_bytes{${fs}} / node_filesystem_size_bytes{${fs}})`)]}),
    stat({title: 'Load per CPU', description: 'Five-minute load average over the number of CPUs.', thresholds: redAbove(1, 2), decimals: 2,
          queries: [q(`sum(node_load5{${i}}) / count(node_cpu_seconds_total{${i}, mode="idle"})`)]}),
    stat({title: 'Up for', description: 'Since the last boot.', unit: 's', graphMode: 'none',
          queries: [q(`min(node_time_seconds{${i}} - node_boot_time_seconds{${i}})`)]}),
    stat({title: 'CPUs', description: 'Logical processors.', graphMode: 'none', queries: [q(`count(node_cpu_seconds_total{${i}, mode="idle"})`)]}),
    row('CPU and pressure'),
    graph({title: 'CPU by mode', description: 'Average over all CPUs; idle is what is missing to 100 %.', unit: 'percentunit', stack: true, min: 0, max: 1,
           queries: [q(`avg by (mode) (rate(node_cpu_seconds_total{${i}, mode!="idle"}${rate}))`, '{{mode}}')]}),
    graph({title: 'Load', description: 'Running and waiting tasks, averaged over 1, 5 and 15 minutes.', min: 0, queries: [
      q(`node_load1{${i}}`, '1 min'), q(`node_load5{${i}}`, '5 min'), q(`node_load15{${i}}`, '15 min')]}),
    graph({title: 'Pressure', description: 'Share of time in which at least one task waited for the resource (PSI).', unit: 'percentunit', min: 0, queries: [
      q(`rate(node_pressure_cpu_waiting_seconds_total{${i}}${rate})`, 'CPU'),
      q(`rate(node_pressure_memory_waiting_seconds_total{${i}}${rate})`, 'memory'),
      q(`rate(node_pressure_io_waiting_seconds_total{${i}}${rate})`, 'disks')]}),
    graph({title: 'Context switches and forks', description: 'How busily the kernel changes tasks and makes new ones.', unit: 'ops', min: 0, queries: [
      q(`rate(node_context_switches_total{${i}}${rate})`, 'switches'), q(`rate(node_forks_total{${i}}${rate})`, 'forks')]}),
    row('Memory'),
    graph({title: 'Memory', description: 'Where the memory is.', unit: 'bytes', stack: true, min: 0, queries: [
      q(`node_memory_MemTotal_bytes{${i}} - node_memory_MemFree_bytes{${i}} - node_memory_Buffers_bytes{${i}} - node_memory_Cached_bytes{${i}} - node_memory_SReclaimable_bytes{${i}}`, 'used'),
      q(`node_memory_Buffers_bytes{${i}}`, 'buffers'),
      q(`node_memory_Cached_bytes{${i}} + node_memory_SReclaimable_bytes{${i}}`, 'cache'), q(`node_memory_MemFree_bytes{${i}}`, 'free')]}),
    graph({title: 'Swapping and major faults', description: 'Pages that had to be read from or written to disk.', unit: 'ops', min: 0, queries: [
      q(`rate(node_vmstat_pswpin{${i}}${rate})`, 'swapped in'), q(`rate(node_vmstat_pswpout{${i}}${rate})`, 'swapped out'),
      q(`rate(node_vmstat_pgmajfault{${i}}${rate})`, 'major faults')]}),
    row('Disks and filesystems'),
    graph({title: 'Throughput', description: 'Bytes read and written.', unit: 'Bps', min: 0, queries: [
      q(`rate(node_disk_read_bytes_total{${disk}}${rate})`, '{{device}} read'), q(`rate(node_disk_written_bytes_total{${disk}}${rate})`, '{{device}} write')]}),
    graph({title: 'Busy', description: 'Share of time in which a request was in flight.', unit: 'percentunit', min: 0, max: 1,
           queries: [q(`rate(node_disk_io_time_seconds_total{${disk}}${rate})`, '{{device}}')]}),
    graph({title: 'Latency', description: 'Mean time of a request, queueing included.', unit: 's', min: 0, queries: [
      q(`rate(node_disk_read_time_seconds_total{${disk}}${rate}) / rate(node_disk_reads_completed_total{${disk}}${rate})`, '{{device}} read'),
      q(`rate(node_disk_write_time_seconds_total{${disk}}${rate}) / rate(node_disk_writes_completed_total{${disk}}${rate})`, '{{device}} write')]}),
    table({title: 'Filesystems', description: 'Space and inodes; full in: by the trend of the last six hours.', by: ['mountpoint', 'device', 'fstype'], sortBy: 'used',
           rename: {mountpoint: 'mount'}, queries: [
      q(`node_filesystem_size_bytes{${fs}}`, 'size', {unit: 'bytes'}), q(`node_filesystem_avail_bytes{${fs}}`, 'available', {unit: 'bytes'}),
      q(`1 - node_filesystem_avail_bytes{${fs}} / node_filesystem_size_bytes{${fs}}`, 'used', {unit: 'percentunit'}),
      q(`1 - node_filesystem_files_free{${fs}} / node_filesystem_files{${fs}}`, 'inodes used', {unit: 'percentunit'})]}),
    row('Network'),
    graph({title: 'Traffic', description: 'Bytes in and out, without the loopback device.', unit: 'Bps', queries: [
      q(`rate(node_network_receive_bytes_total{${i}, device!="lo"}${rate})`, '{{device}} in'),
      q(`-rate(node_network_transmit_bytes_total{${i}, device!="lo"}${rate})`, '{{device}} out')]}),
    graph({title: 'Errors and drops', description: 'Packets that were damaged or thrown away.', unit: 'pps', min: 0, queries: [
      q(`rate(node_network_receive_errs_total{${i}}${rate})`, '{{device}} errors in'), q(`rate(node_network_transmit_errs_total{${i}}${rate})`, '{{device}} errors out'),
      q(`rate(node_network_receive_drop_total{${i}}${rate})`, '{{device}} drops in'), q(`rate(node_network_transmit_drop_total{${i}}${rate})`, '{{device}} drops out')]}),
    graph({title: 'TCP', description: 'Connections, and segments that had to be sent again.', min: 0, queries: [
      q(`node_netstat_Tcp_CurrEstab{${i}}`, 'established'), q(`rate(node_netstat_Tcp_RetransSegs{${i}}${rate})`, 'retransmitted per second')]}),
    graph({title: 'Sockets and descriptors', description: 'What the kernel has open.', min: 0, queries: [
      q(`node_sockstat_sockets_used{${i}}`, 'sockets'), q(`node_filefd_allocated{${i}}`, 'file descriptors')]}),
  ],
});
