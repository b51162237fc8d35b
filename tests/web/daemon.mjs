// A vigia that a test starts, kills and starts again; its data and configuration stay.

import {spawn} from 'node:child_process';
import {createServer} from 'node:net';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

async function freePort() {
  const server = createServer();
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  const {port} = server.address();
  await new Promise(done => server.close(done));
  return port;
}

export async function until(what, check, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await check().catch(() => null);
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise(done => setTimeout(done, 100));
  }
}

export class Daemon {
  static async start(program, files) {
    const daemon = new Daemon();
    daemon.program = program;
    daemon.folder = mkdtempSync(join(tmpdir(), 'vigia-page-'));
    daemon.port = await freePort();
    daemon.url = `http://127.0.0.1:${daemon.port}`;
    for (const [name, text] of Object.entries(files(daemon.folder))) daemon.write(name, text);
    await daemon.run();
    return daemon;
  }

  write(name, text) {
    writeFileSync(join(this.folder, name), text);
  }

  async run() {
    this.output = '';
    this.process = spawn(this.program, ['serve', '--config', join(this.folder, 'vigia.yml'),
                                        '--listen', `127.0.0.1:${this.port}`, '--data-dir', join(this.folder, 'data')]);
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on('data', text => { this.output = (this.output + text).slice(-20000); });
    }
    this.ended = new Promise(done => this.process.on('exit', done));
    try {
      await until('vigia answers', async () => (await fetch(`${this.url}/-/ready`)).ok);
    } catch (error) {
      throw new Error(`${error.message}\n${this.output}`);
    }
  }

  async stop(signal = 'SIGTERM') {
    this.process.kill(signal);
    await this.ended;
  }

  async end() {
    await this.stop('SIGKILL');
    rmSync(this.folder, {recursive: true, force: true});
  }

  async get(path) {
    return (await fetch(this.url + path)).json();
  }
}
