# The page of docs/app.md: docker build -t textgroup . && docker run --rm -p 127.0.0.1:7860:7860 textgroup
FROM python:3.11-slim

WORKDIR /opt/textgroup
COPY constraints.txt .
# PyTorch for the CPU: the wheel of PyPI brings gigabytes of CUDA.
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu "$(grep '^torch==' constraints.txt)"
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip install --no-cache-dir -c constraints.txt '.[app]'

RUN useradd --create-home textgroup
USER textgroup
WORKDIR /home/textgroup

# Within the container every address; who reaches it is for `docker run -p` to say.
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/', timeout=4)"]
ENTRYPOINT ["textgroup", "app", "--host", "0.0.0.0", "--port", "7860"]
