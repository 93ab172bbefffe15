"""Debian's Chromium without a window, driven over a pipe in the DevTools protocol; nothing to install beside it."""

import base64
import json
import os
import select
import shutil
import subprocess
import time

FLAGS = (
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
    '--remote-debugging-pipe',
)
PROGRAMS = ('chromium', 'chromium-browser', 'google-chrome')
PATIENCE = 60  # seconds for an answer


def find_chromium():
    """Path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Chromium:
    """A browser with one page; ``events`` are those of network, console and errors since it began.

    Args:
        program (str): The browser.
        profile (str): An empty folder.
        size (tuple[int, int]): Of the page in pixels.
        dark (bool): Whether the page is to think that it is night.
    """

    def __init__(self, program, profile, size=(1280, 900), dark=False):
        read_end, self._to = os.pipe()
        self._from, write_end = os.pipe()
        # The protocol wants the descriptors 3 and 4.
        command = f'exec "$@" 3<&{read_end} 4>&{write_end}'
        arguments = [program, *FLAGS, f'--user-data-dir={profile}', 'about:blank']
        self._process = subprocess.Popen(
            ['bash', '-c', command, 'chromium', *arguments],
            pass_fds=(read_end, write_end),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_end)
        os.close(write_end)
        self.events = []
        self._buffer, self._count, self._session = b'', 0, None
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        self._session = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Network', 'Runtime', 'Log'):
            self.call(f'{domain}.enable')
        width, height = size
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=False)
        if dark:
            self.call('Emulation.setEmulatedMedia', features=[dict(name='prefers-color-scheme', value='dark')])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)
        os.close(self._to)
        os.close(self._from)

    def call(self, method, **parameters):
        """Call a method of the protocol.

        Returns:
            dict: its result.
        """
        self._count += 1
        message = dict(id=self._count, method=method, params=parameters)
        if self._session:
            message['sessionId'] = self._session
        os.write(self._to, json.dumps(message).encode() + b'\0')
        while True:
            answer = self._read()
            if answer.get('id') == self._count:
                if 'error' in answer:
                    raise RuntimeError(f'{method}: {answer["error"]}')
                return answer['result']
            self.events.append(answer)

    def open(self, url):
        """Open a page and wait until it is loaded."""
        self.call('Page.navigate', url=url)
        while not any(event.get('method') == 'Page.loadEventFired' for event in self.events):
            self.events.append(self._read())

    def run(self, script):
        """Run JavaScript in the page.

        Returns:
            What it evaluates to, as JSON has it.
        """
        answer = self.call('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in answer:
            raise RuntimeError(answer['exceptionDetails']['exception']['description'])
        return answer['result'].get('value')

    def screenshot(self, path, whole=True):
        """Write a .png of the page, all of it or what is in view."""
        picture = self.call('Page.captureScreenshot', captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(picture['data']))

    def urls(self):
        """URLs of everything that was requested."""
        return [
            event['params']['request']['url'] for event in self.events if event['method'] == 'Network.requestWillBeSent'
        ]

    def complaints(self):
        """What the console and the log have, and uncaught errors."""
        kinds = ('Runtime.consoleAPICalled', 'Runtime.exceptionThrown', 'Log.entryAdded')
        return [event['params'] for event in self.events if event['method'] in kinds]

    def _read(self):
        until = time.monotonic() + PATIENCE
        while b'\0' not in self._buffer:
            if not select.select([self._from], [], [], max(until - time.monotonic(), 0))[0]:
                raise TimeoutError('the browser does not answer')
            part = os.read(self._from, 1 << 20)
            if not part:
                raise RuntimeError('the browser has ended')
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b'\0')
        return json.loads(message)
